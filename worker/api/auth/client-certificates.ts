/**
 * Users who come with a certificate of the cluster's CA: the common name is the user, the organizations are the groups.
 * That they hold its key was proven to whoever ended TLS; that it is the cluster's own is checked here.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
 */
import { fromBase64, hex } from "../../lib/bytes.ts";
import { errorText } from "../../lib/error-text.ts";
import { decodePem } from "../../lib/pem.ts";
import { CLIENT_AUTH, COMMON_NAME, EXTENDED_KEY_USAGE, ORGANIZATION } from "../../lib/x509.ts";
import { type Certificate, fieldsOf, isSignedBy, purposesIn, readCertificate } from "../../lib/x509-read.ts";
import type { User } from "../request.ts";
import type { Login } from "./oidc/issuers.ts";

const UID = "1.3.6.1.4.1.57683.2";
const ANY_PURPOSE = "2.5.29.37.0";
const MAX_REMEMBERED = 500;

export class ClientCertificates {
  readonly #authority: string;
  readonly #logins = new Map<string, Login>();

  /** `authority` is the PEM of the cluster's CA. */
  constructor(authority: string) {
    this.#authority = authority;
  }

  /** Never throws. Whether the certificate has ended is asked at each use. */
  async login(text: string): Promise<Login> {
    const known = this.#logins.get(text);
    if (known) return known;
    const login = await this.#read(text).catch((error: unknown): Login => ({ refused: `x509: ${errorText(error)}` }));
    if (this.#logins.size >= MAX_REMEMBERED) this.#logins.clear();
    this.#logins.set(text, login);
    return login;
  }

  async #read(text: string): Promise<Login> {
    const [, base64 = ""] = /^:([A-Za-z0-9+/=]+):$/.exec(text) ?? [];
    const der = fromBase64(base64);
    const certificate = readCertificate(der);
    const [block] = decodePem(this.#authority);
    if (!block) throw new Error("the cluster has no certificate authority");
    if (!(await isIssuedBy(certificate, readCertificate(block.bytes))))
      throw new Error("certificate signed by unknown authority");
    const usages = purposesIn(certificate.extensions.get(EXTENDED_KEY_USAGE));
    if (!usages.some((usage) => usage === CLIENT_AUTH || usage === ANY_PURPOSE))
      throw new Error("certificate specifies an incompatible key usage");
    const { notBefore, notAfter } = certificate;
    if (!(notBefore <= notAfter)) throw new Error("malformed certificate");
    const untimely = "x509: certificate has expired or is not yet valid";
    return { user: await userOf(certificate, der), notBefore, expires: notAfter, untimely };
  }
}

async function isIssuedBy(certificate: Certificate, authority: Certificate): Promise<boolean> {
  const text = (name: Certificate["issuer"]) => new Uint8Array(name.toBER()).join();
  return (
    text(certificate.issuer) === text(authority.subject) && (await isSignedBy(certificate, authority.publicKeyInfo))
  );
}

async function userOf({ subject }: Certificate, der: Uint8Array<ArrayBuffer>): Promise<User> {
  const name = fieldsOf(subject, COMMON_NAME).at(-1);
  if (!name) throw new Error("the certificate has no common name");
  const [uid, ...more] = fieldsOf(subject, UID);
  if (more.length > 0) throw new Error("the certificate has more than one uid");
  const fingerprint = hex(await crypto.subtle.digest("SHA-256", der));
  return {
    name,
    groups: [...new Set([...fieldsOf(subject, ORGANIZATION), "system:authenticated"])],
    ...(uid && { uid }),
    extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${fingerprint}`] },
  };
}
