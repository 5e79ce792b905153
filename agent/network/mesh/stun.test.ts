import { expect, test } from "vitest";
import { BINDING_ANSWER, BINDING_REQUEST, isWhole, parseEndpoint, parseServer, readStun, writeStun } from "./stun.ts";

const transaction = "b7e7a701bc34d686fa87dfae";

/** https://www.rfc-editor.org/rfc/rfc5769#section-2.2, without its fingerprint. */
const SAMPLE = Buffer.from(
  `010100342112a442${transaction}8022000b7465737420766563746f7220002000080001a147e112a6430008001` +
    "42b91f599fd9e90c38c7489f92af9ba53f06be7d7",
  "hex",
);
const PASSWORD = Buffer.from("VOkJxbRl1RmTxUk/WvJxBt");

test("an answer is read as RFC 5769 has it, and known to be whole", () => {
  expect(readStun(SAMPLE)).toEqual({ type: BINDING_ANSWER, transaction, mapped: "192.0.2.1:32853" });
  expect(isWhole(SAMPLE, PASSWORD)).toBe(true);
});

test("what is written is read again", () => {
  const request = { type: BINDING_REQUEST, transaction, username: "node-with-a-name" };
  expect(readStun(writeStun(request))).toEqual(request);
  const answer = { type: BINDING_ANSWER, transaction, mapped: "203.0.113.200:65535" };
  expect(readStun(writeStun(answer, PASSWORD))).toEqual(answer);
});

test("what another has written or changed is not whole", () => {
  const written = writeStun({ type: BINDING_REQUEST, transaction, username: "a" }, PASSWORD);
  expect(isWhole(written, PASSWORD)).toBe(true);
  expect(isWhole(written, Buffer.from("another"))).toBe(false);
  for (let at = 0; at < written.length; at++) {
    const changed = Buffer.from(written);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(readStun(changed) !== undefined && isWhole(changed, PASSWORD), `byte ${at}`).toBe(false);
  }
  expect(isWhole(writeStun({ type: BINDING_REQUEST, transaction }), PASSWORD)).toBe(false);
});

test("what is no STUN message is none", () => {
  const wireguard = Buffer.alloc(148);
  wireguard[0] = 1;
  for (const bytes of [Buffer.alloc(0), wireguard, SAMPLE.subarray(0, 40), Buffer.concat([SAMPLE, Buffer.alloc(1)])])
    expect(readStun(bytes)).toBeUndefined();
});

test("an endpoint is an address and a port", () => {
  expect(parseEndpoint("192.0.2.1:51820")).toEqual({ address: "192.0.2.1", port: 51820 });
  for (const text of ["", "192.0.2.1", "192.0.2.1:0", "192.0.2.1:65536", "host:1", "192.0.2.1:1:2", "192.0.2.1:x"])
    expect(parseEndpoint(text), text).toBeUndefined();
});

test("a server is a host, with a port or without", () => {
  expect(parseServer("stun.example.com:19302")).toEqual({ host: "stun.example.com", port: 19302 });
  expect(parseServer("192.0.2.1")).toEqual({ host: "192.0.2.1", port: 3478 });
  for (const text of ["", ":3478", "host:0", "host:99999"]) expect(parseServer(text), text).toBeUndefined();
});
