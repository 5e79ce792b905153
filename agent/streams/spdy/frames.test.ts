import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Frame, FrameReader, ProtocolError, writeFrame } from "./frames.ts";

const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const id = fc.integer({ min: 1, max: 0x7fff_ffff });
const word = fc.integer({ min: 0, max: 0xffff_ffff });
const block = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));
const fin = fc.boolean();

const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({
    type: fc.constant("synStream" as const),
    id,
    associated: fc.nat(0x7fff_ffff),
    priority: fc.nat(7),
    block,
    fin,
  }),
  fc.record({ type: fc.constant("synReply" as const), id, block, fin }),
  fc.record({ type: fc.constant("headers" as const), id, block, fin }),
  fc.record({ type: fc.constant("rstStream" as const), id, status: word }),
  fc.record({
    type: fc.constant("settings" as const),
    settings: fc.array(fc.record({ id: fc.nat(0xff_ffff), value: word }), { maxLength: 4 }),
  }),
  fc.record({ type: fc.constant("ping" as const), id: word }),
  fc.record({ type: fc.constant("goAway" as const), lastGoodId: fc.nat(0x7fff_ffff), status: word }),
  fc.record({ type: fc.constant("windowUpdate" as const), id, delta: id }),
  fc.record({ type: fc.constant("data" as const), id, data: block, fin }),
);

describe("frames of SPDY/3.1", () => {
  // Laid out by hand from the pictures in section 2 of the specification.
  const golden: [string, Frame][] = [
    [
      "80030001 0100000c 00000001 00000000 e000 abcd",
      { type: "synStream", id: 1, associated: 0, priority: 7, block: bytes("abcd"), fin: true },
    ],
    ["80030002 00000006 00000003 abcd", { type: "synReply", id: 3, block: bytes("abcd"), fin: false }],
    ["80030003 00000008 00000005 00000005", { type: "rstStream", id: 5, status: 5 }],
    ["80030004 0000000c 00000001 00000007 00010000", { type: "settings", settings: [{ id: 7, value: 65_536 }] }],
    ["80030006 00000004 00000009", { type: "ping", id: 9 }],
    ["80030007 00000008 0000000b 00000001", { type: "goAway", lastGoodId: 11, status: 1 }],
    ["80030008 01000005 00000001 ff", { type: "headers", id: 1, block: bytes("ff"), fin: true }],
    ["80030009 00000008 00000001 00008000", { type: "windowUpdate", id: 1, delta: 32_768 }],
    ["00000003 00000002 6869", { type: "data", id: 3, data: Buffer.from("hi"), fin: false }],
    ["00000003 01000000", { type: "data", id: 3, data: Buffer.alloc(0), fin: true }],
  ];

  test.each(golden)("%s", (hex, frame) => {
    expect(writeFrame(frame).toString("hex")).toBe(bytes(hex).toString("hex"));
    expect(new FrameReader().read(bytes(hex))).toEqual([frame]);
  });

  test("read back as they were written, wherever the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 6 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 20 })),
        (all, cuts) => {
          const whole = Buffer.concat(all.map(writeFrame));
          const reader = new FrameReader();
          const read: Frame[] = [];
          for (let at = 0; at < whole.length; ) {
            const { value } = cuts.next();
            read.push(...reader.read(whole.subarray(at, at + value)));
            at += value;
          }
          expect(read).toEqual(all);
        },
      ),
      { numRuns: 50 },
    );
  });

  test("control frames of unknown types are passed over", () => {
    const unknown = bytes("800300ff 00000002 0000");
    expect(new FrameReader().read(Buffer.concat([unknown, bytes("80030006 00000004 00000001")]))).toEqual([
      { type: "ping", id: 1 },
    ]);
  });

  test.each([
    ["another version", "80020006 00000004 00000001"],
    ["a ping of five bytes", "80030006 00000005 0000000100"],
    ["a SYN_STREAM without room for its ids", "80030001 00000004 00000001"],
    ["settings that promise more than there is", "80030004 00000004 00000002"],
    ["a frame of 16 MiB", "00000001 00ffffff"],
  ])("%s is a protocol error", (_, hex) => {
    expect(() => new FrameReader().read(bytes(hex))).toThrow(ProtocolError);
  });
});
