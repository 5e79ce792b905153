/** A machine that runs pods, as the measures of nodes see it: whose agent and runtime they are does not matter. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { type Server as Endpoint, sendChecked } from "../../agent/local/http.ts";
import { COMMAND, until } from "./container-host.ts";
import type { Started } from "./measure.ts";
import { type Memory, memoryOf } from "./processes.ts";

export type NodeHost = Started & {
  /** Gives the node so many pods of one idle container at once, and resolves when it says that all are ready. */
  run(pods: number): Promise<void>;
  /** Takes all pods away, and resolves when the node has confirmed that. */
  clear(): Promise<void>;
  /** Those of the node and its runtime, without what runs in the pods. */
  processes(): number[];
};

/** In the environment of all that a node's programs start, so that they are found wherever they end up. */
export const MARK = "SKERRY_BENCH_NODE";
const TICKS_PER_SECOND = 100;

const PODS = "/api/v1/namespaces/default/pods";
type Pod = { status?: { conditions?: { type: string; status: string }[] } };

/** Pods that are bound as they are created: no scheduler is measured. */
export function podsOn(server: Endpoint, node: string, image: string): Pick<NodeHost, "run" | "clear"> {
  const list = async () => (await sendChecked(server, "GET", PODS)).body.items as Pod[];
  const isReady = ({ status }: Pod) => status?.conditions?.some((c) => c.type === "Ready" && c.status === "True");
  const create = (i: number) =>
    sendChecked(server, "POST", PODS, {
      metadata: { name: `idle-${i}` },
      spec: {
        nodeName: node,
        terminationGracePeriodSeconds: 1, // or Kubernetes does not wait for the node
        containers: [{ name: "idle", image, imagePullPolicy: "IfNotPresent", command: COMMAND }],
      },
    });
  return {
    async run(count) {
      await Promise.all(Array.from({ length: count }, (_, i) => create(i)));
      await until(`${count} pods are ready`, async () => (await list()).filter(isReady).length === count);
    },
    async clear() {
      await sendChecked(server, "DELETE", PODS);
      await until("all pods are gone", async () => (await list()).length === 0);
    },
  };
}

/** Processes with the mark in their environment and their descendants, outside of containers. */
export function markedProcesses(mark: string): number[] {
  const own = readlinkSync("/proc/self/ns/pid");
  const all = readdirSync("/proc").flatMap((name) => {
    const process = /^\d+$/.test(name) && processOf(Number(name));
    return process && process.namespace === own ? [process] : [];
  });
  const byPid = new Map(all.map((process) => [process.pid, process]));
  const isOf = (process: Process | undefined): boolean =>
    process !== undefined && (process.environment.includes(`${MARK}=${mark}\0`) || isOf(byPid.get(process.parent)));
  return all.filter(isOf).map(({ pid }) => pid);
}

type Process = { pid: number; parent: number; namespace: string; environment: string };

function processOf(pid: number): Process | undefined {
  try {
    const [, parent] = fieldsOf(pid);
    const environment = `${readFileSync(`/proc/${pid}/environ`, "utf8")}\0`;
    return { pid, parent: Number(parent), namespace: readlinkSync(`/proc/${pid}/ns/pid`), environment };
  } catch {
    return undefined; // it has ended meanwhile
  }
}

/** Of proc(5)'s /proc/pid/stat, from the state on. */
const fieldsOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];

/** Processor time of these processes, and of their children that have ended, in seconds. */
export function processorSeconds(pids: readonly number[]): number {
  const ticks = (pid: number) => {
    try {
      const [user, system, childrensUser, childrensSystem] = fieldsOf(pid).slice(11, 15).map(Number);
      return (user ?? 0) + (system ?? 0) + (childrensUser ?? 0) + (childrensSystem ?? 0);
    } catch {
      return 0;
    }
  };
  return pids.reduce((sum, pid) => sum + ticks(pid), 0) / TICKS_PER_SECOND;
}

/** By the name of the program. */
export function memoryByProgram(pids: readonly number[]): Memory[] {
  const each = pids.flatMap((pid) => {
    try {
      return [memoryOf(programOf(pid), pid)];
    } catch {
      return [];
    }
  });
  return [...Map.groupBy(each, ({ name }) => name)].map(([name, parts]) => ({
    name: `${parts.length} × ${name}`,
    rss: parts.reduce((sum, { rss }) => sum + rss, 0),
    pss: parts.reduce((sum, { pss }) => sum + pss, 0),
  }));
}

function programOf(pid: number): string {
  const [program = "", ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  const what = args.find((arg) => ["agent", "events", "_NERDCTL_INTERNAL_LOGGING"].includes(arg)) ?? "";
  return `${program.split("/").at(-1)} ${what}`.trim();
}
