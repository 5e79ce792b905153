/** Agents that speak nonsense: what they send on their control socket, and how it closes. */
import { CloseCode, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from "../../../worker/protocol/link.ts";

export type AgentRow = { name: string; send: (string | Buffer)[]; code: number; reason: string | RegExp };

const text = JSON.stringify;
const hello = (more: object = {}) =>
  text({ type: "hello", version: PROTOCOL_VERSION, agent: "x", node: "ghost", revision: 0, ...more });
const protocol = (reason: string | RegExp) => ({ code: CloseCode.protocol, reason });
const version = (said: number) => ({
  code: CloseCode.version,
  reason: `protocol ${said} is not served; this cluster speaks ${OLDEST_PROTOCOL_VERSION} to ${PROTOCOL_VERSION}`,
});

/** Each closes the socket. */
export const closing: AgentRow[] = [
  { name: "no JSON", send: ["hello"], ...protocol("not JSON") },
  { name: "nothing", send: [""], ...protocol("not JSON") },
  { name: "a binary frame", send: [Buffer.from([0, 1, 2, 255])], ...protocol("not JSON") },
  { name: "a hello in a binary frame", send: [Buffer.from(hello())], ...protocol("not JSON") },
  { name: "a list", send: ["[]"], ...protocol("a message is an object with a type") },
  { name: "null", send: ["null"], ...protocol("a message is an object with a type") },
  { name: "no type", send: ["{}"], ...protocol("a message is an object with a type") },
  { name: "an unknown type", send: [text({ type: "explode" })], ...protocol('unknown message type "explode"') },
  {
    name: "a type that objects inherit",
    send: [text({ type: "constructor" })],
    ...protocol('unknown message type "constructor"'),
  },
  {
    name: "a type of a million letters",
    send: [text({ type: "x".repeat(1e6) })],
    ...protocol(/^unknown message type "x+$/),
  },
  { name: "lists nested 100,000 deep", send: ["[".repeat(1e5) + "]".repeat(1e5)], ...protocol(/./) },
  { name: "version as text", send: [hello({ version: "1" })], ...protocol("hello.version is not a number") },
  {
    name: "a version that is no integer",
    send: [hello({ version: 1.5 })],
    ...protocol("hello.version is not a number"),
  },
  { name: "an old version", send: [hello({ version: 0 })], ...version(0) },
  { name: "a version of the future", send: [hello({ version: 99 })], ...version(99) },
  {
    name: "another node's name",
    send: [hello({ node: "other" })],
    ...protocol("hello from other with the credential of ghost"),
  },
  {
    name: "a call before the hello",
    send: [text({ type: "call", id: 1, method: "GET", path: "/api" })],
    ...protocol("call before hello"),
  },
  {
    name: "health before the hello",
    send: [text({ type: "health", ready: true, message: "" })],
    ...protocol("health before hello"),
  },
  {
    name: "a call without a path",
    send: [hello(), text({ type: "call", id: 1, method: "GET" })],
    ...protocol("call.path is not a string"),
  },
  {
    name: "a reply, which only clusters send",
    send: [hello(), text({ type: "reply", id: 1, code: 200, body: {} })],
    ...protocol('unknown message type "reply"'),
  },
  { name: "a message of 40 MiB", send: ["x".repeat(40 * 1024 * 1024)], code: 1009, reason: /./ },
];

export type CallRow = { name: string; call: object; code: number; message: string | RegExp };
const UNANSWERABLE = { code: 400, message: "the call is no request that can be answered" };
const forbidden = (message: RegExp) => ({ code: 403, message });
/** Each is answered, and the socket stays open. */
export const calls: CallRow[] = [
  { name: "a method that is none", call: { method: "NOT A METHOD", path: "/api" }, ...UNANSWERABLE },
  { name: "a GET with a body", call: { method: "GET", path: "/api", body: {} }, ...UNANSWERABLE },
  { name: "a path that is none", call: { method: "GET", path: "http://[" }, ...UNANSWERABLE },
  {
    name: "a content type that breaks the line",
    call: { method: "POST", path: "/api", contentType: "a\nb", body: {} },
    ...UNANSWERABLE,
  },
  { name: "a watch", call: { method: "GET", path: "/api/v1/services?watch=true" }, ...UNANSWERABLE },
  {
    name: "another node",
    call: {
      method: "POST",
      path: "/api/v1/nodes",
      body: { apiVersion: "v1", kind: "Node", metadata: { name: "other" } },
    },
    ...forbidden(/node "ghost" is not allowed to modify node "other"/),
  },
  {
    name: "all secrets",
    call: { method: "GET", path: "/api/v1/secrets" },
    ...forbidden(/cannot list resource "secrets"/),
  },
  {
    name: "a join token",
    call: { method: "POST", path: "/skerry/tokens", body: {} },
    ...forbidden(/cannot post path "\/skerry\/tokens"/),
  },
  {
    name: "an object that is none",
    call: { method: "POST", path: "/api/v1/nodes", body: { metadata: { name: "ghost", labels: 1 } } },
    code: 400,
    message: /cannot unmarshal number/,
  },
  {
    name: "an unknown resource",
    call: { method: "GET", path: "/api/v1/nothings" },
    code: 403,
    message: /cannot list resource "nothings"/,
  },
];
