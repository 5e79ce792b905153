import { describe, expect, it } from "vitest";
import { apply, mutants, ROOT } from "./patches.ts";

const all = await mutants();

describe("mutants of the simulator", () => {
  it("are many enough to say something", () => {
    expect(all.length).toBeGreaterThanOrEqual(14);
  });
  it.each(all)("$name fits the sources", async (mutant) => {
    expect(mutant.what).toMatch(/^[A-Z].*\.$/);
    await apply(mutant, ROOT, "--check");
  });
});
