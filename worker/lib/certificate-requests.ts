/** PKCS#10: what someone who wants a certificate says about themselves (RFC 2986). */
import { errorText } from "./error-text.ts";
import { decodePem } from "./pem.ts";
import { COMMON_NAME, type Names, ORGANIZATION } from "./x509.ts";
import { fieldsOf, type CertificateRequest as Read, readCertificate, readRequest } from "./x509-read.ts";

export type CertificateRequest = {
  commonName: string;
  organizations: readonly string[];
  names: Required<Names>;
  read: Read;
};

/** `pem` as base64, as API objects carry it; what it asks for, or why it is none. The signature is not looked at. */
export function readCertificateRequest(pem: string): CertificateRequest | { problem: string } {
  try {
    const [block] = decodePem(atob(pem));
    if (block?.type !== "CERTIFICATE REQUEST") return { problem: "PEM block type must be CERTIFICATE REQUEST" };
    const read = readRequest(block.bytes);
    return {
      commonName: fieldsOf(read.subject, COMMON_NAME).at(-1) ?? "",
      organizations: fieldsOf(read.subject, ORGANIZATION),
      names: read.names,
      read,
    };
  } catch (error) {
    return { problem: errorText(error) };
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
    return errorText(error);
  }
}
