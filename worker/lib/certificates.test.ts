import { X509Certificate as NodeCertificate } from "node:crypto";
import { connect, createServer, type TLSSocket } from "node:tls";
import { expect, test, vi } from "vitest";
import "reflect-metadata";
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509Certificate } from "@peculiar/x509";
import { createAuthority, issueClient, issueServer, isTextSignedBy, signText } from "./certificates.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const DAY_MS = 86_400_000;
const NAMES = { dns: ["localhost", "api.example.com"], ip: ["127.0.0.1", "::1", "10.96.0.1"] };

test("an authority may sign certificates, and nothing else", async () => {
  const { certificate, key } = await createAuthority("skerry-ca", NOW);
  expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----\n[\s\S]+\n-----END PRIVATE KEY-----\n$/);
  const read = new X509Certificate(certificate);
  expect(read.subject).toBe("CN=skerry-ca");
  expect(read.issuer).toBe("CN=skerry-ca");
  expect(read.notBefore.getTime()).toBe(NOW - DAY_MS);
  expect(read.notAfter.getTime()).toBe(NOW + 3650 * DAY_MS);
  expect(read.getExtension(BasicConstraintsExtension)).toMatchObject({ ca: true, critical: true });
  expect(read.getExtension(KeyUsagesExtension)).toMatchObject({
    usages: KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
    critical: true,
  });
  expect(await read.isSelfSigned()).toBe(true);
});

test("times past 2049 keep their century", async () => {
  const { certificate } = await createAuthority("late", Date.UTC(2045, 0, 1));
  expect(new X509Certificate(certificate).notAfter.getUTCFullYear()).toBe(2054);
});

test("a server's certificate is its authority's, for its names and addresses alone", async () => {
  const authority = await createAuthority("skerry-ca", NOW);
  const other = await createAuthority("skerry-ca", NOW);
  const read = new NodeCertificate((await issueServer(authority, "skerry", NAMES, NOW)).certificate);
  const issuer = new NodeCertificate(authority.certificate);
  expect(read.checkIssued(issuer)).toBe(true);
  expect(read.verify(issuer.publicKey)).toBe(true);
  expect(read.verify(new NodeCertificate(other.certificate).publicKey)).toBe(false);
  expect(read.ca).toBe(false);
  expect(read.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  for (const name of NAMES.dns) expect(read.checkHost(name)).toBe(name);
  for (const ip of NAMES.ip) expect(read.checkIP(ip)).toBe(ip);
  expect(read.checkHost("example.com")).toBeUndefined();
});

test("a client that trusts the authority talks to the server", async () => {
  const now = Date.now();
  const authority = await createAuthority("skerry-ca", now);
  const { certificate, key } = await issueServer(authority, "skerry", NAMES, now);
  const server = createServer({ cert: certificate, key }, (socket) => socket.end("hello"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const said = (ca: string) =>
    new Promise<string>((resolve) => {
      const socket: TLSSocket = connect({ host: "127.0.0.1", port, ca });
      socket.once("data", (bytes) => resolve(String(bytes)));
      socket.once("error", (error) => resolve(error.message));
    });
  expect(await said(authority.certificate)).toBe("hello");
  expect(await said((await createAuthority("skerry-ca", now)).certificate)).not.toBe("hello");
  server.close();
});

test("a client's certificate is good for a day, and for no server", async () => {
  const authority = await createAuthority("front-proxy-ca", NOW);
  const { certificate } = await issueClient(authority, "front-proxy-client", NOW);
  const read = new NodeCertificate(certificate);
  expect(read.verify(new NodeCertificate(authority.certificate).publicKey)).toBe(true);
  expect(read.subject).toBe("CN=front-proxy-client");
  expect(read.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  expect(Date.parse(read.validTo)).toBe(NOW + 86_400_000);
});

test("a text's signature is an authority's own, whose certificate is read once for many", async () => {
  const [one, other] = await Promise.all(["one", "other"].map((name) => createAuthority(name, NOW)));
  if (!one || !other) throw new Error("no authorities");
  const signature = await signText(one, "said");
  const read = vi.spyOn(crypto.subtle, "importKey");
  for (const text of ["said", "said", "other"])
    expect(await isTextSignedBy(one.certificate, text, signature)).toBe(text === "said");
  expect(read).toHaveBeenCalledTimes(1);
  expect(await isTextSignedBy(other.certificate, "said", signature)).toBe(false);
  expect(await isTextSignedBy(one.certificate, "said", signature)).toBe(true);
  read.mockRestore();
});
