import type { ToCluster, ToNode } from "./link.ts";

/** The keep-alive of the control socket: answered by the platform itself, so that it wakes no one. */
export const PING = "ping";
export const PONG = "pong";
/**
 * What a watchman says: look over the control sockets for those that fell silent. It has no answer. Words that are no
 * JSON are for what happens while nothing else does, and must cost next to nothing.
 */
export const LOOK = "look";

/** A received message that is not what the protocol allows. The socket closes with `CloseCode.protocol`. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

type Fields = Record<string, "string" | "number" | "boolean" | "array" | "object" | "json">;

/** Required fields of each message, beside `type`. Written once, checked on both sides. */
const TO_CLUSTER: Record<ToCluster["type"], Fields> = {
  hello: { version: "number", agent: "string", node: "string", revision: "number" },
  health: { ready: "boolean", message: "string" },
  call: { id: "number", method: "string", path: "string" },
  usage: { id: "number", usage: "object" },
  wake: { namespace: "string", service: "string" },
};
const TO_NODE: Record<ToNode["type"], Fields> = {
  welcome: {
    version: "number",
    now: "number",
    clusterId: "string",
    clusterDomain: "string",
    dnsAddress: "string",
    apiAddress: "string",
    serviceCIDR: "string",
    ca: "string",
    apiCertificate: "string",
    apiKey: "string",
  },
  snapshot: { revision: "number", objects: "array" },
  changes: { revision: "number", changes: "array" },
  reply: { id: "number", code: "number", body: "json" },
  stream: { request: "object" },
  usage: { id: "number", pods: "boolean" },
};

export const parseToCluster = (text: string): ToCluster => parse(text, TO_CLUSTER) as ToCluster;
export const parseToNode = (text: string): ToNode => parse(text, TO_NODE) as ToNode;

function parse(text: string, table: Record<string, Fields>): unknown {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    throw new ProtocolError("not JSON");
  }
  if (!isObject(message) || typeof message.type !== "string")
    throw new ProtocolError("a message is an object with a type");
  const fields = Object.hasOwn(table, message.type) ? table[message.type] : undefined;
  if (!fields) throw new ProtocolError(`unknown message type ${JSON.stringify(message.type).slice(0, 60)}`);
  for (const [name, kind] of Object.entries(fields))
    if (!fits(message[name], kind)) throw new ProtocolError(`${message.type}.${name} is not a ${kind}`);
  return message;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fits(value: unknown, kind: Fields[string]): boolean {
  if (kind === "json") return value !== undefined;
  if (kind === "array") return Array.isArray(value);
  if (kind === "object") return isObject(value);
  if (kind === "number") return Number.isSafeInteger(value);
  return typeof value === kind;
}
