/**
 * The parts of a certificate as ASN.1 values: RFC 5280, and RFC 5480 for its P-256 keys. A library for all of X.509 takes
 * 25 ms to load, in each process and each time the object wakes; the ASN.1 library below it takes 3.
 */
import {
  type BaseBlock,
  BitString,
  Constructed,
  Boolean as DerBoolean,
  Set as DerSet,
  fromBER,
  GeneralizedTime,
  Integer,
  ObjectIdentifier,
  OctetString,
  Primitive,
  Sequence,
  UTCTime,
  Utf8String,
} from "asn1js";
import ipaddr from "ipaddr.js";
import { hex } from "./bytes.ts";

export type Names = {
  dns: readonly string[];
  ip: readonly string[];
  emails?: readonly string[];
  uris?: readonly string[];
};
export type Bytes = ArrayBuffer | Uint8Array<ArrayBuffer>;

const CONTEXT = 3;
/** From this year on times are written with their century (RFC 5280, 4.1.2.5). */
const FIRST_GENERALIZED_YEAR = 2050;

export const ORGANIZATION = "2.5.4.10";
export const COMMON_NAME = "2.5.4.3";
const SUBJECT_KEY_ID = "2.5.29.14";
const KEY_USAGE = "2.5.29.15";
export const ALTERNATIVE_NAMES = "2.5.29.17";
const BASIC_CONSTRAINTS = "2.5.29.19";
const AUTHORITY_KEY_ID = "2.5.29.35";
export const EXTENDED_KEY_USAGE = "2.5.29.37";
export const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
export const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
export const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

export const sequence = (...value: BaseBlock[]) => new Sequence({ value });
export const set = (...value: BaseBlock[]) => new DerSet({ value });
export const oid = (value: string) => new ObjectIdentifier({ value });
export const explicit = (tagNumber: number, value: BaseBlock) =>
  new Constructed({ idBlock: { tagClass: CONTEXT, tagNumber }, value: [value] });
const tagged = (tagNumber: number, valueHex: Bytes) =>
  new Primitive({ idBlock: { tagClass: CONTEXT, tagNumber }, valueHex });

/** What follows the tag and the length. */
export const children = (block: BaseBlock | undefined): readonly BaseBlock[] => {
  const value: unknown = (block?.valueBlock as { value?: unknown } | undefined)?.value;
  return Array.isArray(value) ? value : [];
};

/** All of `der` is one value, or this throws. */
export function parse(der: Bytes): BaseBlock {
  const { offset, result } = fromBER(der);
  if (offset === -1) throw new Error(`malformed ASN.1: ${result.error}`);
  if (offset !== der.byteLength) throw new Error("trailing data");
  return result;
}

const named = (id: string, value: string) => set(sequence(oid(id), new Utf8String({ value })));
export const commonName = (value: string) => sequence(named(COMMON_NAME, value));
export const subjectName = (organization: string, name: string) =>
  sequence(named(ORGANIZATION, organization), named(COMMON_NAME, name));

/** `ms` since the epoch. */
export function time(ms: number): BaseBlock {
  const valueDate = new Date(ms);
  const form = valueDate.getUTCFullYear() < FIRST_GENERALIZED_YEAR ? UTCTime : GeneralizedTime;
  return new form({ valueDate });
}

const extension = (id: string, critical: boolean, value: BaseBlock) =>
  sequence(
    oid(id),
    ...(critical ? [new DerBoolean({ value: true })] : []),
    new OctetString({ valueHex: value.toBER() }),
  );

export const basicConstraints = (isAuthority: boolean) =>
  extension(BASIC_CONSTRAINTS, true, sequence(...(isAuthority ? [new DerBoolean({ value: true })] : [])));

/** Bits by their numbers in RFC 5280, 4.2.1.3: the ninth is in a second byte. */
export function keyUsage(...bits: readonly number[]): BaseBlock {
  const last = Math.max(...bits);
  const valueHex = new Uint8Array(last < 8 ? 1 : 2);
  for (const bit of bits) valueHex[bit >> 3] = (valueHex[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return extension(KEY_USAGE, true, new BitString({ valueHex, unusedBits: 7 - (last & 7) }));
}

export const extendedKeyUsage = (...purposes: readonly string[]) =>
  extension(EXTENDED_KEY_USAGE, false, sequence(...purposes.map(oid)));

/** `critical` where the subject says nothing. */
export const alternativeNames = ({ dns, ip, emails = [], uris = [] }: Names, critical = false) =>
  extension(
    ALTERNATIVE_NAMES,
    critical,
    sequence(
      ...dns.map((name) => tagged(2, new TextEncoder().encode(name) as Uint8Array<ArrayBuffer>)),
      ...emails.map((email) => tagged(1, new TextEncoder().encode(email) as Uint8Array<ArrayBuffer>)),
      ...ip.map((address) => tagged(7, Uint8Array.from(ipaddr.parse(address).toByteArray()))),
      ...uris.map((uri) => tagged(6, new TextEncoder().encode(uri) as Uint8Array<ArrayBuffer>)),
    ),
  );

/** `keyId` as `keyIdOf` makes it. */
export const subjectKeyId = (keyId: ArrayBuffer) =>
  extension(SUBJECT_KEY_ID, false, new OctetString({ valueHex: keyId }));
export const authorityKeyId = (keyId: ArrayBuffer) => extension(AUTHORITY_KEY_ID, false, sequence(tagged(0, keyId)));

/** The hash of the key without what it is a key for (RFC 5280, 4.2.1.2). */
export async function keyIdOf(publicKeyInfo: BaseBlock): Promise<ArrayBuffer> {
  const [, key] = children(publicKeyInfo);
  if (!(key instanceof BitString)) throw new Error("not a public key");
  return crypto.subtle.digest("SHA-1", key.valueBlock.valueHexView as Uint8Array<ArrayBuffer>);
}

/** As ECDSA's two numbers are written: WebCrypto gives them one after the other. */
export function signatureBits(raw: ArrayBuffer): BitString {
  const bytes = new Uint8Array(raw);
  const half = bytes.length / 2;
  const numbers = sequence(integer(bytes.subarray(0, half)), integer(bytes.subarray(half)));
  return new BitString({ valueHex: numbers.toBER() });
}

/** The positive number with these bytes. */
export const integer = (bytes: Uint8Array) => Integer.fromBigInt(BigInt(`0x${hex(bytes)}`));
