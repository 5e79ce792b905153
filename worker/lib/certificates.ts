/** Certificates for the places that need them: a cluster's own CAs, and that of a control plane on one's own machine. */
import type { BaseBlock } from "asn1js";
import { fromBase64Url, toBase64Url } from "./bytes.ts";
import { decodePem, encodePem } from "./pem.ts";
import {
  alternativeNames,
  authorityKeyId,
  basicConstraints,
  CLIENT_AUTH,
  children,
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
  SERVER_AUTH,
  sequence,
  set,
  signatureBits,
  subjectKeyId,
  subjectName,
  time,
} from "./x509.ts";
import { type CertificateRequest, isSignedBy, readCertificate } from "./x509-read.ts";

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
/** RFC 2986, 4.1: version 1 of a request is 0. */
const V1 = Uint8Array.of(0);
/** RFC 2985, 5.4.2. */
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

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

/** From and to when a certificate is good, ms. */
export type Validity = { notBefore: number; notAfter: number };

type Contents = {
  issuer: BaseBlock;
  subject: BaseBlock;
  publicKeyInfo: BaseBlock;
  validity: Validity;
  extensions: readonly BaseBlock[];
};

/** So many days from now; other clocks may be behind. */
const daysFrom = (now: number, days: number): Validity => ({ notBefore: now - DAY_MS, notAfter: now + days * DAY_MS });

/** The certificate as PEM. */
async function sign(contents: Contents, privateKey: CryptoKey): Promise<string> {
  const { issuer, subject, publicKeyInfo, validity, extensions } = contents;
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const toBeSigned = sequence(
    explicit(0, integer(V3)),
    integer(crypto.getRandomValues(new Uint8Array(SERIAL_NUMBER_BYTES))),
    algorithm,
    issuer,
    sequence(time(validity.notBefore), time(validity.notAfter)),
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
  const contents = { issuer: subject, subject, publicKeyInfo, validity: daysFrom(now, AUTHORITY_DAYS), extensions };
  return { certificate: await sign(contents, privateKey), key: pem };
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
  const { publicKeyInfo, pem } = await generate();
  const extensions = [
    basicConstraints(false),
    keyUsage(DIGITAL_SIGNATURE),
    ...purpose,
    authorityKeyId(await keyIdOf(issuer.publicKeyInfo)),
  ];
  const validity = daysFrom(now, days);
  const contents = { issuer: issuer.subject, subject: commonName(name), publicKeyInfo, validity, extensions };
  return { certificate: await sign(contents, await signingKeyOf(authority)), key: pem };
}

const signingKeyOf = ({ key }: CertificateAndKey) =>
  crypto.subtle.importKey("pkcs8", onlyBlock(key), ALGORITHM, true, ["sign"]);

/** An authority's signature of a text that is no certificate, in base64url. */
export async function signText(authority: CertificateAndKey, text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  return toBase64Url(new Uint8Array(await crypto.subtle.sign(ALGORITHM, await signingKeyOf(authority), bytes)));
}

/** Whether a text was so signed by who has a certificate (PEM). */
export async function isTextSignedBy(certificate: string, text: string, signature: string): Promise<boolean> {
  const key = await verifyingKeyOf(certificate);
  return crypto.subtle.verify(ALGORITHM, key, fromBase64Url(signature), new TextEncoder().encode(text));
}

/** The last one, since reading it costs more than what it is read for, and anybody can ask for that. */
let known: { certificate: string; key: CryptoKey } | undefined;

async function verifyingKeyOf(certificate: string): Promise<CryptoKey> {
  if (known?.certificate === certificate) return known.key;
  const { publicKeyInfo } = readCertificate(onlyBlock(certificate));
  const key = await crypto.subtle.importKey("spki", publicKeyInfo.toBER(), ALGORITHM, false, ["verify"]);
  known = { certificate, key };
  return key;
}

/** What a certificate is asked for, and whose it is to be. */
export type AskedSubject = { organization: string; commonName: string; names: Names };

/** A new key, and a request for a certificate of it (PKCS#10), as PEM. */
export async function askCertificate({
  organization,
  commonName: name,
  names,
}: AskedSubject): Promise<{ request: string; key: string }> {
  const { privateKey, publicKeyInfo, pem } = await generate();
  const wanted = sequence(oid(EXTENSION_REQUEST), set(sequence(alternativeNames(names))));
  const toBeSigned = sequence(integer(V1), subjectName(organization, name), publicKeyInfo, explicit(0, wanted));
  const signature = await crypto.subtle.sign(ALGORITHM, privateKey, toBeSigned.toBER());
  const whole = sequence(toBeSigned, sequence(oid(ECDSA_WITH_SHA256)), signatureBits(signature));
  return { request: encodePem("CERTIFICATE REQUEST", whole.toBER()), key: pem };
}

export type Usages = { key: readonly number[]; extended: readonly string[] };

/**
 * The certificate that a request asks for, as PEM, for its key and its names, and for these usages alone: numbers of RFC
 * 5280, 4.2.1.3, and ids of 4.2.1.12. Throws when whoever asks does not hold the key.
 */
export async function issueAsked(
  authority: CertificateAndKey,
  { subject, publicKeyInfo, names, ...signed }: CertificateRequest,
  usages: Usages,
  validity: Validity,
): Promise<string> {
  if (!(await isSignedBy(signed, publicKeyInfo))) throw new Error("unable to verify certificate request signature");
  const issuer = readCertificate(onlyBlock(authority.certificate));
  const hasNames = Object.values(names).some((list) => list.length > 0);
  const extensions = [
    ...(usages.key.length ? [keyUsage(...usages.key)] : []),
    ...(usages.extended.length ? [extendedKeyUsage(...usages.extended)] : []),
    basicConstraints(false),
    authorityKeyId(await keyIdOf(issuer.publicKeyInfo)),
    ...(hasNames ? [alternativeNames(names, children(subject).length === 0)] : []),
  ];
  const notAfter = Math.min(validity.notAfter, issuer.notAfter);
  const contents = {
    issuer: issuer.subject,
    subject,
    publicKeyInfo,
    validity: { notBefore: validity.notBefore, notAfter },
    extensions,
  };
  return sign(contents, await signingKeyOf(authority));
}

/** All as one value, to be passed in where keys cost too much or must be the same each time. */
export const certificates = { createAuthority, issueServer, issueClient };
export type Certificates = typeof certificates;
