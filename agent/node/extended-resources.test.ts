import { expect, test } from "vitest";
import type { CoreV1Node } from "../../worker/kinds/generated/types.ts";
import { agreesWithExtended, extendedAllocatable } from "./extended-resources.ts";

const node = (capacity: Record<string, string>, allocatable: Record<string, string>): CoreV1Node => ({
  metadata: {},
  spec: {},
  status: { capacity, allocatable },
});

test("what others say that a node has may be asked for, until they take it back", () => {
  const advertised = node({ cpu: "2", "example.com/dongle": "4" }, { cpu: "2" });
  expect(extendedAllocatable(advertised)).toEqual({ "example.com/dongle": "4" });
  expect(agreesWithExtended(advertised)).toBe(false);
  const told = node({ cpu: "2", "example.com/dongle": "4" }, { cpu: "2", "example.com/dongle": "4" });
  expect(agreesWithExtended(told)).toBe(true);
  const gone = node({ cpu: "2" }, { cpu: "2", "example.com/dongle": "4" });
  expect(extendedAllocatable(gone)).toEqual({ "example.com/dongle": null });
  expect(agreesWithExtended(gone)).toBe(false);
});

test("the kubelet's own resources are its own affair", () => {
  expect(extendedAllocatable(node({ "requests.kubernetes.io/x": "1", "hugepages-2Mi": "0" }, {}))).toEqual({});
});
