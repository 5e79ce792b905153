/**
 * STUN: what outsiders see this node's UDP port as, and checks between nodes, which are Binding requests that carry a
 * name and a digest, as ICE has them. https://www.rfc-editor.org/rfc/rfc5389 https://www.rfc-editor.org/rfc/rfc8445
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { isIPv4 } from "node:net";

export const BINDING_REQUEST = 0x0001;
export const BINDING_ANSWER = 0x0101;
const MAGIC = 0x2112a442;
const HEADER_BYTES = 20;
const Attribute = { mappedAddress: 0x0001, username: 0x0006, integrity: 0x0008, xorMappedAddress: 0x0020 } as const;
/** Of HMAC-SHA1, with the attribute's own header. */
const INTEGRITY_BYTES = 24;
const IPV4 = 1;

/** `address:port` of IPv4. */
export type Endpoint = string;

export function endpointOf(address: string, port: number): Endpoint {
  return `${address}:${port}`;
}

export function parseEndpoint(endpoint: Endpoint): { address: string; port: number } | undefined {
  const [address = "", text = "", ...rest] = endpoint.split(":");
  const port = Number(text);
  if (rest.length > 0 || !isIPv4(address) || !/^\d+$/.test(text) || port < 1 || port > 65_535) return undefined;
  return { address, port };
}

const STUN_PORT = 3478;

/** A STUN server by `host:port`, or by its host alone; undefined for what is none. */
export function parseServer(text: string): { host: string; port: number } | undefined {
  const [, host = "", port = `${STUN_PORT}`] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
  const isPort = Number(port) >= 1 && Number(port) <= 65_535;
  return host !== "" && isPort ? { host, port: Number(port) } : undefined;
}

export type StunMessage = {
  type: number;
  /** 12 bytes, in hex: which request an answer is to. */
  transaction: string;
  /** Who asks. */
  username?: string;
  /** Where the request seemed to come from. */
  mapped?: Endpoint;
};

/** With a `key`, whoever has it too can tell that the message is whole and by one who has it. */
export function writeStun({ type, transaction, username, mapped }: StunMessage, key?: Buffer): Buffer {
  const attributes = [
    ...(username === undefined ? [] : [attribute(Attribute.username, Buffer.from(username))]),
    ...(mapped === undefined ? [] : [attribute(Attribute.xorMappedAddress, xored(mapped))]),
  ];
  const body = Buffer.concat(attributes);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(body.length + (key ? INTEGRITY_BYTES : 0), 2);
  header.writeUInt32BE(MAGIC, 4);
  header.write(transaction, 8, "hex");
  const message = Buffer.concat([header, body]);
  if (!key) return message;
  return Buffer.concat([message, attribute(Attribute.integrity, digest(key, message))]);
}

const digest = (key: Buffer, message: Buffer) => createHmac("sha1", key).update(message).digest();

function attribute(type: number, value: Buffer): Buffer {
  const padded = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  padded.writeUInt16BE(type, 0);
  padded.writeUInt16BE(value.length, 2);
  value.copy(padded, 4);
  return padded;
}

function xored(endpoint: Endpoint): Buffer {
  const { address = "0.0.0.0", port = 0 } = parseEndpoint(endpoint) ?? {};
  const value = Buffer.alloc(8);
  value.writeUInt8(IPV4, 1);
  value.writeUInt16BE(port ^ (MAGIC >>> 16), 2);
  value.writeUInt32BE((numberOf(address) ^ MAGIC) >>> 0, 4);
  return value;
}

const numberOf = (address: string) => Buffer.from(address.split(".").map(Number)).readUInt32BE(0);

function addressOf(number: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number >>> 0, 0);
  return bytes.join(".");
}

/** Undefined for what is no STUN message. Whether it is by whom it should be, `isWhole` tells. */
export function readStun(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE(4) !== MAGIC) return undefined;
  if (bytes.readUInt16BE(2) !== bytes.length - HEADER_BYTES || bytes.length % 4 !== 0) return undefined;
  const message: StunMessage = { type: bytes.readUInt16BE(0), transaction: bytes.toString("hex", 8, HEADER_BYTES) };
  for (const { type, value } of attributesOf(bytes)) {
    if (type === Attribute.username) message.username = value.toString();
    if (type === Attribute.xorMappedAddress) message.mapped ??= mappedOf(value, MAGIC);
    if (type === Attribute.mappedAddress) message.mapped ??= mappedOf(value, 0);
  }
  return message;
}

function mappedOf(value: Buffer, mask: number): Endpoint | undefined {
  if (value.length !== 8 || value[1] !== IPV4) return undefined;
  return endpointOf(addressOf(value.readUInt32BE(4) ^ mask), value.readUInt16BE(2) ^ (mask >>> 16));
}

function* attributesOf(bytes: Buffer): Iterable<{ type: number; value: Buffer; at: number }> {
  for (let at = HEADER_BYTES; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 2);
    if (at + 4 + length > bytes.length) return;
    yield { type: bytes.readUInt16BE(at), value: bytes.subarray(at + 4, at + 4 + length), at };
    at += 4 + Math.ceil(length / 4) * 4;
  }
}

/** Whether the message ends in the digest that `key` gives it. */
export function isWhole(bytes: Buffer, key: Buffer): boolean {
  const last = [...attributesOf(bytes)].at(-1);
  if (last?.type !== Attribute.integrity || last.value.length !== INTEGRITY_BYTES - 4) return false;
  return timingSafeEqual(last.value, digest(key, bytes.subarray(0, last.at)));
}
