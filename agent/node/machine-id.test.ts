import { expect, test } from "vitest";
import { machineId } from "./machine-id.ts";

const from = (files: Record<string, string>, home = "/var/lib/skerry") => machineId(home, (path) => files[path] ?? "");

test("hardware tells machines apart whose disks are copies, and homes tell nodes of one machine apart", () => {
  const a = { "/sys/class/dmi/id/product_uuid": "A", "/etc/machine-id": "m" };
  const b = { "/sys/class/dmi/id/product_uuid": "B", "/etc/machine-id": "m" };
  expect(from(a)).toBe(from({ ...a, "/etc/machine-id": "other" }));
  expect(from(a)).not.toBe(from(b));
  expect(from(a)).not.toBe(from(a, "/home/other"));
  expect(from({ "/proc/device-tree/serial-number": "1" })).not.toBe(from({ "/proc/device-tree/serial-number": "2" }));
});
