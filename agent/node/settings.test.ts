import { expect, test } from "vitest";
import { settingsOf } from "./settings.ts";

test("a container's log turns over as with a kubelet, or as is said", () => {
  expect(settingsOf().logs).toEqual({ maxBytes: 10 * 1024 * 1024, maxFiles: 5 });
  const given = { containerLogMaxSize: "64Ki", containerLogMaxFiles: 3 };
  expect(settingsOf(given).logs).toEqual({ maxBytes: 65_536, maxFiles: 3 });
});

test.each([
  [{ containerLogMaxFiles: 1 }, "invalid MaxFiles 1, must be > 1"],
  [{ containerLogMaxSize: "0" }, "invalid max log size 0"],
])("%j is refused", (given, message) => {
  expect(() => settingsOf(given)).toThrow(message);
});
