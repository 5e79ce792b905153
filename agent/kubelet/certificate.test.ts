import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readCertificateRequest } from "../../worker/lib/certificate-requests.ts";
import { createAuthority, issueAsked } from "../../worker/lib/certificates.ts";
import type { Json } from "../../worker/protocol/link.ts";
import { effects } from "../effects.ts";
import type { Reply } from "../link.ts";
import { ServingCertificate } from "./certificate.ts";

const homes: string[] = [];
afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true });
});

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const authority = await createAuthority("cluster", effects.now());
const at = (...addresses: string[]) => [
  { type: "Hostname", address: "n" },
  ...addresses.map((address) => ({ type: "InternalIP", address })),
];

/** A cluster that signs what it is asked for, or says what `refusal` says. */
function prepared(refusal?: string) {
  const home = mkdtempSync(join(tmpdir(), "certificate-"));
  homes.push(home);
  const asked: string[] = [];
  async function api(method: string, _: string, body?: unknown): Promise<Reply> {
    if (method === "POST") {
      asked.push((body as { spec: { request: string } }).spec.request);
      return { code: 201, body: { metadata: { name: "csr-1" } } };
    }
    if (refusal) return { code: 200, body: { status: { conditions: [{ type: "Denied", message: refusal }] } } };
    const request = readCertificateRequest(asked.at(-1) ?? "");
    if ("problem" in request) throw new Error(request.problem);
    const validity = { notBefore: effects.now() - 1000, notAfter: effects.now() + 1_000_000 };
    const usages = { key: [0], extended: [SERVER_AUTH] };
    const certificate: Json = btoa(await issueAsked(authority, request.read, usages, validity));
    return { code: 200, body: { status: { certificate } } };
  }
  const said: string[] = [];
  const start = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const log = (message: string) => {
      said.push(message);
      resolve();
    };
    const own = { ...effects, after: (_: number, body: () => void) => effects.after(0, body) };
    const parts = { home, node: "n", api, effects: own, onChange: resolve, log };
    return { certificate: new ServingCertificate(parts), settled: promise };
  };
  return { start, asked, said };
}

test("a node shows one of its own until the cluster has signed one, which it keeps", async () => {
  const { start, asked } = prepared();
  const { certificate, settled } = start();
  const shown = async (of: ServingCertificate) => new X509Certificate((await of.current(at("192.0.2.1"))).certificate);
  const own = await shown(certificate);
  expect([own.checkIP("192.0.2.1"), own.issuer]).toEqual(["192.0.2.1", "CN=n-ca"]);
  certificate.keep(at("192.0.2.1"), authority.certificate);
  certificate.keep(at("192.0.2.1"), authority.certificate);
  await settled;
  const signed = await shown(certificate);
  expect(signed.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
  expect([signed.subject, signed.checkHost("n")]).toEqual(["O=system:nodes\nCN=system:node:n", "n"]);
  const again = start().certificate;
  expect((await shown(again)).fingerprint).toBe(signed.fingerprint);
  again.keep(at("192.0.2.1"), authority.certificate);
  expect(asked).toHaveLength(1);
});

test("another address or another cluster takes another certificate", async () => {
  const { start, asked } = prepared();
  const first = start();
  first.certificate.keep(at("192.0.2.1"), authority.certificate);
  await first.settled;
  const moved = start();
  moved.certificate.keep(at("192.0.2.2"), authority.certificate);
  await moved.settled;
  const other = await createAuthority("other", effects.now());
  const elsewhere = start();
  elsewhere.certificate.keep(at("192.0.2.2"), other.certificate);
  await elsewhere.settled;
  expect(asked).toHaveLength(3);
});

test("a refusal is told, and the node goes on with its own", async () => {
  const { start, said, asked } = prepared("not you");
  const { certificate, settled } = start();
  const own = await certificate.current(at());
  certificate.keep(at(), authority.certificate);
  await settled;
  expect(said).toEqual(["no serving certificate for this node: the request csr-1 was denied: not you"]);
  expect(await certificate.current(at())).toEqual(own);
  certificate.keep(at(), authority.certificate);
  expect(asked).toHaveLength(1);
});
