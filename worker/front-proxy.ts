/**
 * How extension servers know that a request comes from this cluster's API: a certificate by which they believe what its
 * headers say of who asks. TLS to a server ends in the agent of the node that its pod runs on, so that agent is given
 * the key. It is one of a day, which is nowhere stored, so that a node that is gone does not keep the right for long.
 */
import { FRONT_PROXY } from "./controllers/apiservice/authentication.ts";
import type { CertificateAndKey, Certificates } from "./lib/certificates.ts";

const RENEWED_MS = 12 * 3_600_000;

export type FrontProxyParts = {
  authority: CertificateAndKey;
  certificates: Pick<Certificates, "issueClient">;
  now(): number;
};

export function frontProxy({ authority, certificates, now }: FrontProxyParts): () => Promise<CertificateAndKey> {
  let made: { at: number; certificate: Promise<CertificateAndKey> } | undefined;
  return () => {
    if (made && now() - made.at < RENEWED_MS) return made.certificate;
    const certificate = certificates.issueClient(authority, FRONT_PROXY, now());
    made = { at: now(), certificate };
    certificate.catch(() => {
      made = undefined; // the next asks again
    });
    return certificate;
  };
}
