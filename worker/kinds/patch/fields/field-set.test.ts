import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { showPath } from "./element.ts";
import { FieldSet } from "./field-set.ts";
import { isFieldsV1 } from "./fields-v1.ts";

const element = fc.constantFrom("f:a", "f:b", 'k:{"name":"c"}', 'v:"x"', "i:0");
const paths = fc.uniqueArray(fc.array(element, { minLength: 1, maxLength: 3 }), {
  selector: (path) => path.join("/"),
  maxLength: 12,
});

/** A set as the texts of its paths, against which the tree is checked. */
const texts = (set: FieldSet) => new Set([...set.paths()].map((path) => path.join("/")));
const textsOf = (of: readonly (readonly string[])[]) => new Set(of.map((path) => path.join("/")));

describe("a set of fields", () => {
  test("has union, intersection and difference of its paths", () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        const [left, right] = [FieldSet.of(...a), FieldSet.of(...b)];
        expect(texts(left)).toEqual(textsOf(a));
        expect(texts(left.union(right))).toEqual(textsOf(a).union(textsOf(b)));
        expect(texts(left.intersection(right))).toEqual(textsOf(a).intersection(textsOf(b)));
        expect(texts(left.difference(right))).toEqual(textsOf(a).difference(textsOf(b)));
        expect(left.difference(left).isEmpty).toBe(true);
        for (const path of b) expect(left.has(path)).toBe(textsOf(a).has(path.join("/")));
      }),
    );
  });

  test("loses what lies below a path in a recursive difference", () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        const left = a.filter((path) => !b.some((gone) => `${path.join("/")}/`.startsWith(`${gone.join("/")}/`)));
        expect(texts(FieldSet.of(...a).recursiveDifference(FieldSet.of(...b)))).toEqual(textsOf(left));
      }),
    );
  });

  test("survives being written and read", () => {
    fc.assert(
      fc.property(paths, (of) => {
        const set = FieldSet.of(...of);
        const written = JSON.parse(JSON.stringify(set.toFieldsV1())) as Record<string, unknown>;
        expect(isFieldsV1(written)).toBe(true);
        expect(new FieldSet(written).equals(set)).toBe(true);
        expect(new FieldSet(written).toFieldsV1()).toEqual(written);
      }),
    );
  });

  test("is the same whether it was read or built", () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        const built = FieldSet.of(...a);
        const read = new FieldSet(built.toFieldsV1());
        const other = FieldSet.of(...b);
        expect(read.difference(other).toFieldsV1()).toEqual(built.difference(other).toFieldsV1());
        expect(new FieldSet(built.toFieldsV1()).union(other).toFieldsV1()).toEqual(built.union(other).toFieldsV1());
      }),
    );
  });

  test("writes fields before keys before values, and a member with more below by a dot", () => {
    const set = FieldSet.of(['v:"x"'], ["f:b"], ['k:{"name":"c"}'], ["f:a"], ["f:a", "f:z"]);
    expect(JSON.stringify(set.toFieldsV1())).toBe(
      String.raw`{"f:a":{".":{},"f:z":{}},"f:b":{},"k:{\"name\":\"c\"}":{},"v:\"x\"":{}}`,
    );
  });

  test("reads keys in any order, and refuses what is no set", () => {
    const set = new FieldSet({ 'k:{"port":80,"protocol":"TCP"}': {} });
    expect(new FieldSet({ 'k:{ "protocol": "TCP", "port": 80 }': {} }).equals(set)).toBe(true);
    for (const wrong of [{ x: {} }, { "k:{": {} }, { "k:null": {} }, { "f:a": 1 }, { "f:a": { "i:x": {} } }, [], "f:a"])
      expect(isFieldsV1(wrong)).toBe(false);
  });
});

test("a path is shown as messages name fields", () => {
  const path = ["f:spec", 'k:{"containerPort":80,"protocol":"TCP"}', "f:a", 'v:"x"', "i:3"];
  expect(showPath(path)).toBe('.spec[containerPort=80,protocol="TCP"].a[="x"][3]');
});
