import { expect, test } from "vitest";
import { checkBodyType } from "./body.ts";

const PROTOBUF = "application/vnd.kubernetes.protobuf";
const refused = (method: string, type: string, hasNumbers: boolean) => {
  try {
    checkBodyType(method, type, hasNumbers);
    return undefined;
  } catch (error) {
    return error;
  }
};

test("protobuf is read where the fields have numbers; custom resources and patches have none", () => {
  expect(refused("POST", PROTOBUF, true)).toBeUndefined();
  expect(refused("POST", PROTOBUF, false)).toMatchObject({
    code: 415,
    message:
      "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
  });
  expect(refused("PATCH", PROTOBUF, true)).toMatchObject({ code: 415 });
});
