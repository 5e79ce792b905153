import { expect, test } from "vitest";
import { joinLine } from "./join-tokens.ts";

test("the line names the server's authority where it needs to be known", async () => {
  const line = (made: object) => joinLine({ json: async <T>() => made as T }, "https://host/clusters/lab", 3600, true);
  expect(await line({ token: "join:x", caHash: "sha256:0" })).toBe(
    "skerry join https://host/clusters/lab --token join:x --ca-hash sha256:0",
  );
  expect(await line({ token: "join:x" })).toBe("skerry join https://host/clusters/lab --token join:x");
});
