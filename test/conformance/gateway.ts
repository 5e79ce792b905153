/** The Gateway API's own conformance suite: the profiles that the class serves, core and the extended features it lists. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Progress } from "../../agent/local/install.ts";
import { run } from "../../agent/process.ts";
import { checked } from "../support/programs.ts";
import { gatewaySource, upstreamProgram } from "../support/upstream.ts";
import { GATEWAY } from "./groups.ts";
import type { Result } from "./results.ts";

const PROFILES = ["GATEWAY-HTTP", "GATEWAY-GRPC"];
const TIMEOUT_MS = 60 * 60_000;
/** Kept for documentation: no node has it. */
const NOBODYS_ADDRESS = "192.0.2.1";
/** A gateway may ask for the address of a node. */
const ADDRESSES = `jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}`;

/** Brings the definitions and runs all tests, one after another as the suite does. Its log is kept in `logs`. */
export async function runGatewayTests(kubeconfig: string, logs: string, progress: Progress): Promise<Result[]> {
  const [program, kubectl, source] = [
    await upstreamProgram("gateway-conformance.test", progress),
    await upstreamProgram("kubectl", progress),
    await gatewaySource(),
  ];
  mkdirSync(logs, { recursive: true });
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  await checked(kubectl, ["apply", "--server-side", "-f", join(source, "config/crd/standard")], { env });
  const { stdout: address } = await checked(kubectl, ["get", "nodes", "-o", ADDRESSES], { env });
  progress("running the Gateway API's tests");
  const args = [
    "-test.v",
    `-test.timeout=${TIMEOUT_MS}ms`,
    "-gateway-class=skerry",
    `-conformance-profiles=${PROFILES.join(",")}`,
    `-usable-address=${address}`,
    `-unusable-address=${NOBODYS_ADDRESS}`,
  ];
  const done = await run(program, args, { env, cwd: logs, timeoutMs: TIMEOUT_MS });
  writeFileSync(join(logs, `${GATEWAY}.log`), done.stdout + done.stderr);
  const results = gatewayResults(done.stdout);
  if (results.length === 0) throw new Error(`the Gateway API's suite ended with ${done.code}; see ${logs}`);
  return results;
}

/** What `go test -v` says of each test. Those of features that the class does not list are skipped, and have no result. */
export function gatewayResults(log: string): Result[] {
  return [...log.matchAll(/^ {4}--- (PASS|FAIL): TestConformance\/(\S+) \(([\d.]+)s\)$/gm)].map(
    ([, state, name = "", seconds]) => ({
      name: `[${GATEWAY}] ${name}`,
      passed: state === "PASS",
      seconds: Math.round(Number(seconds)),
      why: state === "PASS" ? "" : whyFailed(log, name),
    }),
  );
}

/** The first thing that an assertion said while the test ran. */
function whyFailed(log: string, name: string): string {
  const from = log.indexOf(`=== RUN   TestConformance/${name}\n`);
  return /^\s+Error:\s+(.*)$/m.exec(log.slice(Math.max(0, from)))?.[1] ?? "";
}
