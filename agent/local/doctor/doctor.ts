/** `skerry doctor`: looks for the usual faults of this machine, and says what mends each. */
import { existsSync } from "node:fs";
import type { Printed } from "../command-options.ts";
import { files, type Home } from "../home.ts";
import type { Server } from "../http.ts";
import { readIdentity } from "../join.ts";
import { type Reach, reach } from "../reach.ts";
import { SOMETHING_WRONG } from "../status.ts";
import { coloured, printable, printJson } from "../terminal.ts";
import { CHECKS, type Facts, type Finding } from "./checks.ts";
import { readFacts } from "./reader.ts";

export type Examined = {
  check: string;
  looksAt: string;
  state: "well" | "unknown" | Finding["severity"];
  findings: Finding[];
};

export const examine = (facts: Facts): Examined[] =>
  CHECKS.map(({ name, looksAt, judge }) => {
    const judged = judge(facts);
    const findings = judged === "unknown" ? [] : [...judged];
    const worst = findings.some(({ severity }) => severity === "fault") ? "fault" : "warning";
    const state = judged === "unknown" ? "unknown" : findings.length ? worst : "well";
    return { check: name, looksAt, state, findings };
  });

const MARKS: Record<Examined["state"], string> = { well: "ok", unknown: "?", warning: "warning", fault: "fault" };
const COLOURS = { well: "green", unknown: "dim", warning: "yellow", fault: "red" } as const;

export function shown(examined: readonly Examined[]): string {
  const blocks = examined.map(({ check, looksAt, state, findings }) => {
    const head = `${coloured(COLOURS[state], MARKS[state].padEnd(9))}${check.padEnd(10)}${coloured("dim", looksAt)}\n`;
    const told = findings.map(
      ({ cause, remedy }) => `         ${printable(cause)}\n         ${coloured("dim", "→")} ${printable(remedy)}\n`,
    );
    return head + told.join("");
  });
  return blocks.join("");
}

export type DoctorOptions = Reach & Printed;

export async function doctor(home: Home, options: DoctorOptions, now: () => number): Promise<void> {
  const server = await serverOf(home, options);
  const examined = examine(await readFacts({ home, now, server }));
  if (options.json) printJson(examined);
  else process.stdout.write(shown(examined));
  if (examined.some(({ state }) => state === "fault")) process.exitCode = SOMETHING_WRONG;
}

/** The one that this machine's agent dials; before it joined, one that is named. */
async function serverOf(home: Home, options: DoctorOptions): Promise<Server | undefined> {
  const { server, kubeconfig, context } = options;
  if (kubeconfig ?? context) return reach(home, options);
  if (server !== undefined) return { url: server };
  const identity = readIdentity(home.path);
  if (identity) return { url: identity.server, ca: identity.ca };
  return existsSync(files(home.path).caCertificate) ? reach(home, options) : undefined;
}
