/** Reading certificates (RFC 5280) and requests for them (RFC 2986), and holding signatures against keys. */
import {
  type BaseBlock,
  BitString,
  Boolean as DerBoolean,
  type GeneralizedTime,
  Integer,
  ObjectIdentifier,
  OctetString,
  Sequence,
  type UTCTime,
} from "asn1js";
import ipaddr from "ipaddr.js";
import { ALTERNATIVE_NAMES, type Bytes, children, type Names, parse } from "./x509.ts";

const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/** What is signed, by which algorithm, and the signature: both certificates and requests for them are so made. */
export type Signed = { toBeSigned: BaseBlock; algorithm: string; signature: Uint8Array<ArrayBuffer> };

function signedOf(der: Bytes): Signed & { fields: readonly BaseBlock[] } {
  const [toBeSigned, algorithm, signature, ...more] = children(parse(der));
  if (!(toBeSigned && algorithm instanceof Sequence && signature instanceof BitString) || more.length > 0)
    throw new Error("malformed: not a signed value");
  return {
    toBeSigned,
    algorithm: idOf(children(algorithm)[0]),
    signature: signature.valueBlock.valueHexView as Uint8Array<ArrayBuffer>,
    fields: children(toBeSigned),
  };
}

const idOf = (block: BaseBlock | undefined): string => (block instanceof ObjectIdentifier ? block.getValue() : "");

export type Certificate = Signed & {
  issuer: BaseBlock;
  subject: BaseBlock;
  publicKeyInfo: BaseBlock;
  /** ms since the epoch. */
  notBefore: number;
  notAfter: number;
  /** DER of each extension's value, by its id. */
  extensions: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
};

/** The signature is not looked at. */
export function readCertificate(der: Bytes): Certificate {
  const { fields, ...signed } = signedOf(der);
  // The version is absent from the oldest; then come serial number and algorithm.
  const [issuer, validity, subject, publicKeyInfo, ...rest] = fields.slice(fields[0] instanceof Integer ? 2 : 3);
  if (!(issuer && subject instanceof Sequence && publicKeyInfo instanceof Sequence))
    throw new Error("malformed certificate");
  const [notBefore = Number.NaN, notAfter = Number.NaN] = children(validity).map((time) =>
    (time as UTCTime | GeneralizedTime).toDate().getTime(),
  );
  const extensions = rest.find(({ idBlock }) => idBlock.tagClass === 3 && idBlock.tagNumber === 3);
  const known = new Map(extensionsOf(children(extensions)[0]));
  return { ...signed, issuer, subject, publicKeyInfo, notBefore, notAfter, extensions: known };
}

export type CertificateRequest = Signed & { subject: BaseBlock; publicKeyInfo: BaseBlock; names: Required<Names> };

/** The signature is not looked at. */
export function readRequest(der: Bytes): CertificateRequest {
  const { fields, ...signed } = signedOf(der);
  const [version, subject, publicKeyInfo, attributes] = fields;
  if (!(version instanceof Integer && subject instanceof Sequence && publicKeyInfo instanceof Sequence))
    throw new Error("malformed certificate request");
  const asked = children(attributes).find((attribute) => idOf(children(attribute)[0]) === EXTENSION_REQUEST);
  const extensions = new Map(extensionsOf(children(children(asked)[1])[0]));
  return { ...signed, subject, publicKeyInfo, names: namesIn(extensions.get(ALTERNATIVE_NAMES)) };
}

function* extensionsOf(list: BaseBlock | undefined): Iterable<[string, Uint8Array<ArrayBuffer>]> {
  for (const extension of children(list)) {
    const [id, second, third] = children(extension);
    const value = second instanceof DerBoolean ? third : second;
    if (value instanceof OctetString) yield [idOf(id), value.valueBlock.valueHexView as Uint8Array<ArrayBuffer>];
  }
}

const TAGS: Readonly<Record<number, keyof Names>> = { 1: "emails", 2: "dns", 6: "uris", 7: "ip" };

function namesIn(value: Uint8Array<ArrayBuffer> | undefined): Required<Names> {
  const names = { dns: [] as string[], ip: [] as string[], emails: [] as string[], uris: [] as string[] };
  for (const name of value ? children(parse(value)) : []) {
    const kind = TAGS[name.idBlock.tagNumber];
    if (!kind) continue;
    const bytes = (name.valueBlock as unknown as { valueHexView: Uint8Array }).valueHexView;
    names[kind].push(kind === "ip" ? ipaddr.fromByteArray([...bytes]).toString() : new TextDecoder().decode(bytes));
  }
  return names;
}

/** The values of a name's fields of one kind. */
export const fieldsOf = (name: BaseBlock, field: string): string[] =>
  children(name)
    .flatMap(children)
    .map(children)
    .filter(([id]) => idOf(id) === field)
    .map(([, value]) => textOf(value));

function textOf(block: BaseBlock | undefined): string {
  const value: unknown = (block?.valueBlock as { value?: unknown } | undefined)?.value;
  if (typeof value !== "string") throw new Error("malformed name: not a text");
  return value;
}

/** The ids in an extension that lists some. */
export const purposesIn = (value: Uint8Array<ArrayBuffer> | undefined): string[] =>
  value ? children(parse(value)).map(idOf) : [];

const RSA = "1.2.840.113549.1.1.1";
const EC = "1.2.840.10045.2.1";
const ED25519 = "1.3.101.112";
const CURVES: Readonly<Record<string, { namedCurve: string; bytes: number }>> = {
  "1.2.840.10045.3.1.7": { namedCurve: "P-256", bytes: 32 },
  "1.3.132.0.34": { namedCurve: "P-384", bytes: 48 },
  "1.3.132.0.35": { namedCurve: "P-521", bytes: 66 },
};
/** Ids of signatures' algorithms: the kind of key, and the hash. */
const ALGORITHMS: Readonly<Record<string, readonly [string, string]>> = {
  "1.2.840.10045.4.3.2": [EC, "SHA-256"],
  "1.2.840.10045.4.3.3": [EC, "SHA-384"],
  "1.2.840.10045.4.3.4": [EC, "SHA-512"],
  "1.2.840.113549.1.1.11": [RSA, "SHA-256"],
  "1.2.840.113549.1.1.12": [RSA, "SHA-384"],
  "1.2.840.113549.1.1.13": [RSA, "SHA-512"],
  [ED25519]: [ED25519, ""],
};

/** Whether the key made the signature. Throws for an algorithm that is not known. */
export async function isSignedBy(signed: Signed, publicKeyInfo: BaseBlock): Promise<boolean> {
  const [type, curve] = children(children(publicKeyInfo)[0]).map(idOf);
  const [wanted, hash = ""] = ALGORITHMS[signed.algorithm] ?? [];
  if (!wanted) throw new Error(`signatures of algorithm ${signed.algorithm} are not known`);
  if (wanted !== type) return false;
  const { namedCurve, bytes = 0 } = CURVES[curve ?? ""] ?? {};
  const algorithm =
    type === EC
      ? { name: "ECDSA", namedCurve: namedCurve ?? "", hash }
      : { name: type === RSA ? "RSASSA-PKCS1-v1_5" : "Ed25519", hash };
  const key = await crypto.subtle.importKey("spki", publicKeyInfo.toBER(), algorithm, false, ["verify"]);
  const signature = type === EC ? rawSignature(signed.signature, bytes) : signed.signature;
  // As it came, for it may have been written in another way than here.
  const text = new Uint8Array(signed.toBeSigned.valueBeforeDecodeView);
  return crypto.subtle.verify(algorithm, key, signature, text);
}

/** ECDSA's two numbers one after the other, each of so many bytes: as WebCrypto wants them. */
function rawSignature(der: Uint8Array<ArrayBuffer>, bytes: number): Uint8Array<ArrayBuffer> {
  const raw = new Uint8Array(2 * bytes);
  for (const [index, number] of children(parse(der)).entries()) {
    if (!(number instanceof Integer) || index > 1) throw new Error("malformed signature");
    const digits = number.valueBlock.valueHexView;
    const significant = digits.subarray(
      Math.max(
        0,
        digits.findIndex((digit) => digit !== 0),
      ),
    );
    if (significant.length > bytes) throw new Error("malformed signature");
    raw.set(significant, (index + 1) * bytes - significant.length);
  }
  return raw;
}
