import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Writer } from "./writer.ts";

/** A message as a tree: what is written, field by field. */
type Node =
  | { text: string }
  | { whole: number }
  | { double: number }
  | { bool: boolean }
  | { bytes: Uint8Array }
  | { inside: Node[] };

const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    fc.record({ text: fc.oneof(fc.string({ unit: "binary" }), fc.string({ maxLength: 400 })) }),
    fc.record({ whole: fc.oneof(fc.maxSafeInteger(), fc.nat(300)) }),
    fc.record({ double: fc.double({ noNaN: true }) }),
    fc.record({ bool: fc.boolean() }),
    fc.record({ bytes: fc.uint8Array({ maxLength: 300 }) }),
    fc.record({ inside: fc.array(tie("node"), { maxLength: 8 }) }),
  ),
}));

function write(writer: Writer | BinaryWriter, nodes: readonly Node[]): void {
  nodes.forEach((item, index) => {
    const tag = (wire: WireType) => writer.tag(index + 1, wire);
    if ("text" in item) tag(WireType.LengthDelimited).string(item.text);
    else if ("bytes" in item) tag(WireType.LengthDelimited).bytes(item.bytes);
    else if ("double" in item) tag(WireType.Bit64).double(item.double);
    else if ("bool" in item) tag(WireType.Varint).bool(item.bool);
    else if ("whole" in item) (tag(WireType.Varint) as Writer).int64(item.whole);
    else {
      tag(WireType.LengthDelimited).fork();
      write(writer, item.inside);
      writer.join();
    }
  });
}

test("writes what the library's writer does", () => {
  fc.assert(
    fc.property(fc.array(node, { maxLength: 12 }), (nodes) => {
      const [own, other] = [new Writer(), new BinaryWriter()];
      write(own, nodes);
      write(other, nodes);
      expect(own.finish()).toEqual(other.finish());
    }),
    { numRuns: 300 },
  );
});

test("messages beyond the first buffer, and lengths of several bytes", () => {
  const nodes: Node[] = Array.from({ length: 50 }, () => ({
    inside: [{ text: "ä".repeat(3000) }, { inside: [{ text: "x".repeat(20_000) }] }],
  }));
  const [own, other] = [new Writer(), new BinaryWriter()];
  write(own, nodes);
  write(other, nodes);
  expect(own.finish()).toEqual(other.finish());
});
