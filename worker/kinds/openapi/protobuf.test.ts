import { expect, test } from "vitest";
import { openapiV2Protobuf } from "./protobuf.ts";

/** Fields of a message: number → contents of its length-delimited values. */
function read(bytes: Uint8Array): Map<number, Uint8Array[]> {
  const found = new Map<number, Uint8Array[]>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte % 128) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const length = tag % 8 === 2 ? varint() : tag % 8 === 1 ? 8 : 0;
    if (tag % 8 === 0) varint();
    found.set(tag >> 3, [...(found.get(tag >> 3) ?? []), bytes.subarray(at, at + length)]);
    at += length;
  }
  return found;
}
const at = (bytes: Uint8Array, ...path: number[]): Uint8Array =>
  path.reduce((message, field) => read(message).get(field)?.[0] ?? new Uint8Array(), bytes);
const textAt = (bytes: Uint8Array, ...path: number[]) => new TextDecoder().decode(at(bytes, ...path));

test("a definition keeps its name, type, reference and extensions", () => {
  const list = { type: "array", items: { $ref: "#/definitions/B" }, "x-kubernetes-list-type": "map" };
  const bytes = openapiV2Protobuf({
    swagger: "2.0",
    info: { title: "Kubernetes", version: "v" },
    definitions: { A: { type: "object", description: "d".repeat(300), properties: { list } } },
  });
  expect(textAt(bytes, 1)).toBe("2.0");
  expect(textAt(bytes, 2, 1)).toBe("Kubernetes");
  expect(textAt(bytes, 9, 1, 1)).toBe("A");
  const schema = at(bytes, 9, 1, 2);
  expect(textAt(schema, 22, 1)).toBe("object");
  expect(textAt(schema, 4)).toHaveLength(300);
  const property = at(schema, 25, 1);
  expect(textAt(property, 1)).toBe("list");
  expect(textAt(property, 2, 23, 1, 1)).toBe("#/definitions/B");
  expect([textAt(property, 2, 31, 1), textAt(property, 2, 31, 2, 2)]).toEqual(["x-kubernetes-list-type", '"map"']);
});

test("an operation keeps its kind and parameters, each by its place", () => {
  const get = {
    operationId: "readThing",
    "x-kubernetes-group-version-kind": { kind: "Thing" },
    parameters: [{ name: "pretty", in: "query", type: "string" }],
    responses: { 200: { description: "OK", schema: { $ref: "#/definitions/Thing" } } },
  };
  const parameters = [{ name: "name", in: "path", required: true, type: "string" }];
  const bytes = openapiV2Protobuf({ paths: { "/x/{name}": { get, parameters } } });
  expect(textAt(bytes, 8, 2, 1)).toBe("/x/{name}");
  const operation = at(bytes, 8, 2, 2, 2);
  expect(textAt(operation, 5)).toBe("readThing");
  expect(textAt(operation, 13, 2, 2)).toBe('{"kind":"Thing"}');
  expect(textAt(operation, 8, 1, 2, 3, 4)).toBe("pretty");
  expect(textAt(operation, 9, 1, 1)).toBe("200");
  expect(textAt(operation, 9, 1, 2, 1, 2, 1, 1)).toBe("#/definitions/Thing");
  expect(textAt(bytes, 8, 2, 2, 9, 1, 2, 4, 4)).toBe("name");
});
