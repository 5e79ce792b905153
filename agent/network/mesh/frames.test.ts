import { expect, test } from "vitest";
import { offerText, packetsOf, packetsTo, readOffer } from "./frames.ts";

test("packets that go together come apart again", () => {
  const packets = [Buffer.from("one"), Buffer.alloc(0), Buffer.alloc(1400, 7)];
  expect([...packetsOf(packetsTo(packets))]).toEqual(packets);
});

test("what is cut off is left out, and nothing is made up", () => {
  const message = packetsTo([Buffer.from("one"), Buffer.from("two")]);
  for (let length = 0; length < message.length; length++) {
    const got = [...packetsOf(message.subarray(0, length))].map(String);
    expect(got).toEqual(["one"].slice(0, length >= 5 ? 1 : 0));
  }
});

test("an offer names addresses that another machine can have", () => {
  expect(readOffer(offerText(["192.0.2.1:1", "198.51.100.7:65535"]))).toEqual(["192.0.2.1:1", "198.51.100.7:65535"]);
  const odd = ["127.0.0.1:1", "224.0.0.1:1", "0.0.0.0:1", "255.255.255.255:1", "x", 5, null, "192.0.2.1:0"];
  expect(readOffer(JSON.stringify({ type: "offer", endpoints: odd }))).toEqual([]);
  const many = Array.from({ length: 50 }, (_, k) => `192.0.2.1:${k + 1}`);
  expect(readOffer(JSON.stringify({ type: "offer", endpoints: many }))).toHaveLength(16);
  for (const text of ["", "{", "null", "[]", '{"type":"offer"}', '{"type":"other","endpoints":[]}'])
    expect(readOffer(text), text).toBeUndefined();
});
