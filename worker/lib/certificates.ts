/** Certificates for the places that need them: a cluster's own CAs, and that of a control plane on one's own machine. */
import type { BaseBlock } from "asn1js";
import { decodePem, encodePem } from "./pem.ts";
import {
  alternativeNames,
  authorityKeyId,
  basicConstraints,
  CLIENT_AUTH,
  commonName,
  ECDSA_WITH_SHA256,
  explicit,
  extendedKeyUsage,
  integer,
  keyIdOf,
  keyUsage,
  type Names,
  oid,
  parse,
  readCertificate,
  SERVER_AUTH,
  sequence,
  signatureBits,
  subjectKeyId,
  time,
} from "./x509.ts";

export type { Names };
/** PEM texts. */
export type CertificateAndKey = { certificate: string; key: string };

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const SERVER_DAYS = 365;
const CLIENT_DAYS = 1;
const SERIAL_NUMBER_BYTES = 9;
/** Numbers of key usages: RFC 5280, 4.2.1.3. */
const DIGITAL_SIGNATURE = 0;
const KEY_CERT_SIGN = 5;
const CRL_SIGN = 6;
const V3 = Uint8Array.of(2);

type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;
type Keys = { privateKey: CryptoKey; publicKeyInfo: BaseBlock; pem: string };

async function generate(): Promise<Keys> {
  const { privateKey, publicKey } = (await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])) as {
    publicKey: CryptoKey;
    privateKey: CryptoKey;
  };
  const publicKeyInfo = parse((await crypto.subtle.exportKey("spki", publicKey)) as ArrayBuffer);
  const pem = encodePem("PRIVATE KEY", (await crypto.subtle.exportKey("pkcs8", privateKey)) as ArrayBuffer);
  return { privateKey, publicKeyInfo, pem };
}

function onlyBlock(pem: string): Uint8Array<ArrayBuffer> {
  const [block] = decodePem(pem);
  if (!block) throw new Error("no PEM block");
  return block.bytes;
}

type Contents = {
  issuer: BaseBlock;
  subject: BaseBlock;
  publicKeyInfo: BaseBlock;
  days: number;
  extensions: readonly BaseBlock[];
};

/** The certificate as PEM. */
async function sign(contents: Contents, privateKey: CryptoKey, now: number): Promise<string> {
  const { issuer, subject, publicKeyInfo, days, extensions } = contents;
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const toBeSigned = sequence(
    explicit(0, integer(V3)),
    integer(crypto.getRandomValues(new Uint8Array(SERIAL_NUMBER_BYTES))),
    algorithm,
    issuer,
    sequence(time(now - DAY_MS), time(now + days * DAY_MS)), // other clocks may be behind
    subject,
    publicKeyInfo,
    explicit(3, sequence(...extensions)),
  );
  const signature = await crypto.subtle.sign(ALGORITHM, privateKey, toBeSigned.toBER());
  return encodePem("CERTIFICATE", sequence(toBeSigned, algorithm, signatureBits(signature)).toBER());
}

/** A new CA that lasts ten years. `now` in ms. */
export async function createAuthority(name: string, now: number): Promise<CertificateAndKey> {
  const { privateKey, publicKeyInfo, pem } = await generate();
  const subject = commonName(name);
  const extensions = [
    basicConstraints(true),
    keyUsage(KEY_CERT_SIGN, CRL_SIGN),
    subjectKeyId(await keyIdOf(publicKeyInfo)),
  ];
  const contents = { issuer: subject, subject, publicKeyInfo, days: AUTHORITY_DAYS, extensions };
  return { certificate: await sign(contents, privateKey, now), key: pem };
}

/** A server certificate of one year, signed by `authority`. */
export function issueServer(
  authority: CertificateAndKey,
  name: string,
  names: Names,
  now: number,
): Promise<CertificateAndKey> {
  return issue(authority, name, SERVER_DAYS, [extendedKeyUsage(SERVER_AUTH), alternativeNames(names)], now);
}

/** A client certificate of one day, signed by `authority`. */
export function issueClient(authority: CertificateAndKey, name: string, now: number): Promise<CertificateAndKey> {
  return issue(authority, name, CLIENT_DAYS, [extendedKeyUsage(CLIENT_AUTH)], now);
}

async function issue(
  authority: CertificateAndKey,
  name: string,
  days: number,
  purpose: readonly BaseBlock[],
  now: number,
): Promise<CertificateAndKey> {
  const issuer = readCertificate(onlyBlock(authority.certificate));
  const key = await crypto.subtle.importKey("pkcs8", onlyBlock(authority.key), ALGORITHM, true, ["sign"]);
  const { publicKeyInfo, pem } = await generate();
  const extensions = [
    basicConstraints(false),
    keyUsage(DIGITAL_SIGNATURE),
    ...purpose,
    authorityKeyId(await keyIdOf(issuer.publicKeyInfo)),
  ];
  const contents = { issuer: issuer.subject, subject: commonName(name), publicKeyInfo, days, extensions };
  return { certificate: await sign(contents, key, now), key: pem };
}

/** All as one value, to be passed in where keys cost too much or must be the same each time. */
export const certificates = { createAuthority, issueServer, issueClient };
export type Certificates = typeof certificates;
