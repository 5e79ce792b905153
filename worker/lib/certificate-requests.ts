/** PKCS#10: what someone who wants a certificate says about themselves (RFC 2986). */
import { decodePem } from "./pem.ts";
import { ORGANIZATION, readCertificate, readRequest } from "./x509.ts";

export type CertificateRequest = { organizations: readonly string[] };

/** `pem` as base64, as API objects carry it; what it asks for, or why it is none. The signature is not looked at. */
export function readCertificateRequest(pem: string): CertificateRequest | { problem: string } {
  try {
    const [block] = decodePem(atob(pem));
    if (block?.type !== "CERTIFICATE REQUEST") return { problem: "PEM block type must be CERTIFICATE REQUEST" };
    return { organizations: readRequest(block.bytes, ORGANIZATION) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Why `pem` (in base64) is no chain of certificates. */
export function certificateChainProblem(pem: string): string | undefined {
  try {
    const blocks = decodePem(atob(pem));
    if (blocks.length === 0) return "must contain at least one CERTIFICATE PEM block";
    for (const { type, headers, bytes } of blocks) {
      if (type !== "CERTIFICATE") return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
      if (headers.length > 0) return "no PEM block headers are permitted";
      readCertificate(bytes);
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
