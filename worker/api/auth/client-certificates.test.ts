import "reflect-metadata";
import { describe, expect, test } from "vitest";
import { createAuthority, issueAsked, issueClient, issueServer } from "../../lib/certificates.ts";
import { decodePem } from "../../lib/pem.ts";
import { ClientCertificates } from "./client-certificates.ts";

const NOW = Date.UTC(2026, 0, 2);
const HOUR_MS = 3_600_000;

const shown = (pem: string) => {
  const [block] = decodePem(pem);
  return `:${btoa(String.fromCharCode(...(block?.bytes ?? [])))}:`;
};

describe("a client's certificate", async () => {
  const authority = await createAuthority("skerry default", NOW);
  const certificates = new ClientCertificates(authority.certificate);

  test("is its common name, from its first moment to its last", async () => {
    const { certificate } = await issueClient(authority, "jane", NOW);
    const login = await certificates.login(shown(certificate));
    expect(login).toMatchObject({
      user: { name: "jane", groups: ["system:authenticated"] },
      notBefore: NOW - 24 * HOUR_MS,
      expires: NOW + 24 * HOUR_MS,
    });
    expect(JSON.stringify(login)).toMatch(/"X509SHA256=[0-9a-f]{64}"/);
  });

  test("of an authority of the same name is none of this cluster's", async () => {
    const other = await createAuthority("skerry default", NOW);
    const { certificate } = await issueClient(other, "jane", NOW);
    expect(await certificates.login(shown(certificate))).toEqual({
      refused: "x509: certificate signed by unknown authority",
    });
  });

  test("for servers is not one for clients", async () => {
    const { certificate } = await issueServer(authority, "jane", { dns: ["jane"], ip: [] }, NOW);
    expect(await certificates.login(shown(certificate))).toEqual({
      refused: "x509: certificate specifies an incompatible key usage",
    });
  });

  test("that was bent, or is none, is refused", async () => {
    const { certificate } = await issueClient(authority, "jane", NOW);
    const [block] = decodePem(certificate);
    const bytes = Uint8Array.from(block?.bytes ?? []);
    const at = bytes.findIndex((_, i) => String.fromCharCode(...bytes.subarray(i, i + 4)) === "jane");
    bytes.set(new TextEncoder().encode("root"), at);
    expect(await certificates.login(`:${btoa(String.fromCharCode(...bytes))}:`)).toEqual({
      refused: "x509: certificate signed by unknown authority",
    });
    for (const text of ["", "::", ":AAAA:", "jane", ":%%%:", shown(authority.certificate)])
      expect(await certificates.login(text)).toHaveProperty("refused");
  });

  test("whose request does not prove that its key is held is not made", async () => {
    const { readCertificateRequest } = await import("../../lib/certificate-requests.ts");
    const { Pkcs10CertificateRequestGenerator } = await import("@peculiar/x509");
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const request = await Pkcs10CertificateRequestGenerator.create({
      name: "O=devs, O=ops, CN=jane",
      keys,
      signingAlgorithm: algorithm,
    });
    const read = readCertificateRequest(btoa(request.toString("pem")));
    if ("problem" in read) throw new Error(read.problem);
    const usages = { key: [0], extended: ["1.3.6.1.5.5.7.3.2"] };
    const validity = { notBefore: NOW, notAfter: NOW + HOUR_MS };
    const issued = await issueAsked(authority, read.read, usages, validity);
    expect(await certificates.login(shown(issued))).toMatchObject({
      user: { name: "jane", groups: ["devs", "ops", "system:authenticated"] },
      expires: NOW + HOUR_MS,
    });
    const signature = Uint8Array.from(read.read.signature);
    signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    await expect(issueAsked(authority, { ...read.read, signature }, usages, validity)).rejects.toThrow("signature");
  });
});
