import { expect, test } from "vitest";
import { checkBodyType, textOf, understood } from "./body.ts";

const PROTOBUF = "application/vnd.kubernetes.protobuf";
const refused = (method: string, type: string, isCustom: boolean) => {
  try {
    checkBodyType(method, type, !isCustom, isCustom);
    return undefined;
  } catch (error) {
    return error;
  }
};
const unknown = "the body of the request was in an unknown format - accepted media types include:";

test("protobuf is read where the fields have numbers; custom resources and patches have none", () => {
  expect(refused("POST", PROTOBUF, false)).toBeUndefined();
  const message = `${unknown} application/json, application/yaml, ${PROTOBUF}`;
  expect(refused("POST", PROTOBUF, true)).toMatchObject({ code: 415, message });
  expect(refused("POST", "application/cbor", false)).toMatchObject({ code: 415, message });
  expect(refused("PATCH", PROTOBUF, false)).toMatchObject({ code: 415, message: "415: Unsupported Media Type" });
});

test("of custom resources, the patches that there are are named", () => {
  expect(refused("PATCH", "application/json", true)).toMatchObject({
    code: 415,
    message: `${unknown} application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml`,
  });
  expect(refused("PATCH", "application/merge-patch+json", true)).toBeUndefined();
});

test("JSON that calls itself protobuf is shown as the text that it is", () => {
  const bytes = new TextEncoder().encode('{"apiVersion":"v1","kind":"ConfigMap"}');
  const why = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
  expect(() => textOf({ type: PROTOBUF, bytes }, { apiVersion: "v1", kind: "ConfigMap" })).toThrow(
    `the object provided is unrecognized (must be of type ConfigMap): ${why} ({"apiVersion":"v1","kind":"Con ...)`,
  );
  expect(() => textOf({ type: PROTOBUF, bytes }, { apiVersion: "v1", kind: "DeleteOptions" })).toThrow(why);
});

test("a dot is a key of field sets and no number", () => {
  const text = "f:labels:\n  .: {}\n  f:a: {}\na: 1.5\nb: .5\nc: 1.\nd: -.inf";
  expect(JSON.parse(understood("application/yaml", text, { kind: "ConfigMap" }).body ?? "")).toEqual({
    "f:labels": { ".": {}, "f:a": {} },
    a: 1.5,
    b: 0.5,
    c: 1,
    d: null,
  });
});
