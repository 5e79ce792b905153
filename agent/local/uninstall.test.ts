import { expect, test } from "vitest";
import { question } from "./uninstall.ts";

const identity = { server: "https://c", node: "attic", token: "t" };

test("what goes is told before it goes, and who else loses by it", () => {
  const all = question("/srv", true, identity, ["van"]);
  expect(all).toContain("  - node attic: its containers,");
  expect(all).toContain("`skerry backup` keeps it");
  expect(all).toContain("  - van lose their cluster;");
  expect(all).toMatch(/ {2}- \/srv, with all that is in it\nType yes to go on: $/);
  expect(question("/srv", false, identity, [])).not.toContain("control plane");
});
