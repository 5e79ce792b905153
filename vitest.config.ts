import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const unit = [
  "worker/**/*.test.ts",
  "agent/**/*.test.ts",
  "page/**/*.test.ts",
  "test/architecture.test.ts",
  "test/contract/**/*.test.ts",
  "test/conformance/**/*.test.ts",
  "test/sim/*/**/*.test.ts",
  "test/fuzz/*.test.ts",
  "test/golden/*.test.ts",
  "test/upgrades/*.test.ts",
  "test/docs/*.test.ts",
];
const integration = ["agent", "test/fuzz", "test/golden"]
  .map((folder) => `${folder}/**/*.integration.test.ts`)
  .concat("test/*.integration.test.ts");

/** Nothing here asserts how fast anything is: what takes a minute may take many on a machine that has other things to do. */
const PATIENCE = { testTimeout: 1_200_000, hookTimeout: 1_800_000, expect: { poll: { timeout: 300_000 } } };
/** Two files at a time, on two cores or many: they wait most of the time, and each has a cluster of its own. */
const REAL = { maxWorkers: 2, ...PATIENCE };

/** Files that take minutes, the longest first: begun last, one would run on while nothing runs beside it. */
const LONG = [
  "fuzz.integration",
  "cost.integration",
  "under-load",
  "offline",
  "node-faults",
  "https.integration",
  "informers",
];
const place = ({ moduleId }: TestSpecification) => {
  const found = LONG.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
  return found < 0 ? LONG.length : found;
};
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

const SHORT_PATIENCE = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } } };

/** `unit` runs anywhere in seconds, `sim` in minutes; `integration`, `kubectl` and `clients` need root and start real containers. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      // Some look at thousands of cases.
      {
        test: {
          name: "unit",
          isolate: false,
          include: unit,
          exclude: [...integration, "node_modules/**"],
          setupFiles: "test/support/chance.ts",
          ...SHORT_PATIENCE,
        },
      },
      { test: { name: "sim", include: ["test/sim/*.test.ts"], ...PATIENCE, testTimeout: 1_800_000 } },
      { test: { name: "integration", include: integration, ...REAL } },
      { test: { name: "kubectl", include: ["test/kubectl/**/*.test.ts"], ...REAL } },
      { test: { name: "page", include: ["test/page/**/*.test.ts"], ...REAL } },
      // Programs are built from their Go modules, once.
      { test: { name: "clients", include: ["test/clients/**/*.test.ts"], ...REAL } },
    ],
  },
});
