/** `skerry status`: the cluster and this machine in one look, and what is wrong with them. */
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { humanDuration } from "../../worker/lib/duration.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import {
  ALERTS_NAMESPACE,
  ALERTS_STATUS,
  type AlertStatus,
  NO_ALERTS,
  readAlertStatus,
  subjectOf,
} from "../../worker/lib/facts/alerts.ts";
import type { Claim, Condition, KubeObject, Node, Pod, Workload } from "../../worker/lib/facts/objects.ts";
import { isOnline, type Problem, problemsOf } from "../../worker/lib/facts/problems.ts";
import { PATHS } from "../../worker/protocol/link.ts";
import { runningAgent } from "../node/shutdown-request.ts";
import type { Printed } from "./command-options.ts";
import { files, type Home, hasControlPlane } from "./home.ts";
import { HttpError, type Server, sendChecked } from "./http.ts";
import { readIdentity } from "./join.ts";
import { nextStep } from "./next-step.ts";
import { isAlone, runningSupervisor } from "./prepare.ts";
import { BY_KUBECTL, type Reach, reach } from "./reach.ts";
import { coloured, printable, printJson, table } from "./terminal.ts";

/** Of a command that found something wrong; 1 is that of one which could not be done. */
export const SOMETHING_WRONG = 2;

export type MachineStatus = {
  name: string;
  home: string;
  /** Pids; absent where they should run and do not, null where they are not to run here. */
  controlPlane?: number | null;
  agent?: number | null;
  /** The control plane was started with --no-agent. */
  alone?: true;
  /** Its name in the cluster that it is a node of. */
  node?: string;
};

export type NodeStatus = {
  name: string;
  status: string;
  version: string;
  address: string;
  /** How it reaches other networks' nodes: `van=relay`. */
  ways: string;
  pods: number;
};

export type Status = {
  cluster?: { server: string; version?: string };
  machine?: MachineStatus;
  nodes: NodeStatus[];
  problems: Problem[];
  /** What fires, and who was told. */
  alerts: Pick<AlertStatus, "alerts" | "more" | "receivers">;
  /** What this user may not see, so that what is wrong there is not told. */
  unseen: string[];
};

export type StatusOptions = Reach & Printed;

export async function status(home: Home, options: StatusOptions, now: number): Promise<void> {
  const machine = thisMachine(home);
  const problems = machine ? machineProblems(machine) : [];
  const seen = await look(home, options, now).catch((error: unknown) => {
    if (!machine) throw error;
    problems.push(outOfReach(error));
    return { nodes: [], problems: [], alerts: NO_ALERTS, unseen: [] };
  });
  const whole: Status = { ...seen, ...(machine && { machine }), problems: [...problems, ...seen.problems] };
  if (options.json) printJson(whole);
  else process.stdout.write(shown(whole, now));
  if (whole.problems.some(({ severity }) => severity === "error")) process.exitCode = SOMETHING_WRONG;
}

function thisMachine({ path }: Home): MachineStatus | undefined {
  const identity = readIdentity(path);
  const isHost = hasControlPlane(path);
  if (!identity && !isHost) return undefined;
  const controlPlane = isHost ? runningSupervisor(path) : null;
  return {
    name: hostname(),
    home: path,
    controlPlane,
    ...(controlPlane && isAlone(controlPlane) && { alone: true }),
    agent: identity ? runningAgent(path) : null,
    ...(identity && { node: identity.node }),
  };
}

export function machineProblems({ name, home, controlPlane, agent, alone, node }: MachineStatus): Problem[] {
  const about = { severity: "error", kind: "Machine", name } as const;
  if (controlPlane === undefined)
    return [{ ...about, cause: `The control plane in ${home} does not run.`, remedy: "Start it: `skerry up`." }];
  if (agent === undefined)
    return [
      {
        ...about,
        ...(alone && { severity: "warning" }), // it may be meant
        cause: `The agent of node ${node} does not run; its containers go on, and hear of no change.`,
        remedy: "Start it: `skerry join URL`, or `systemctl start skerry`; its log tells why it ended.",
      },
    ];
  return [];
}

const outOfReach = (error: unknown): Problem => ({
  severity: "error",
  kind: "Cluster",
  name: "API",
  cause: `It gave no answer: ${errorText(error)}.`,
  remedy: nextStep(error) ?? "`skerry doctor` looks for what is in the way.",
});

type Seen = Omit<Status, "machine">;

async function look(home: Home, options: StatusOptions, now: number): Promise<Seen> {
  const own = ownView(home, options);
  const server = own?.server ?? (await reach(home, options));
  const unseen: string[] = [];
  const list = async <T extends KubeObject>(path: string, query = ""): Promise<T[]> => {
    try {
      return await all<T>(server, path, query);
    } catch (error) {
      if (!(error instanceof HttpError && error.code === 403)) throw error;
      unseen.push(path.split("/").at(-1) ?? path);
      return [];
    }
  };
  const { body: version } = await sendChecked(server, "GET", "/version");
  const nodes = await list<Node>("/api/v1/nodes", own && `fieldSelector=metadata.name=${own.node}`);
  const pods = await list<Pod>("/api/v1/pods", own && `fieldSelector=spec.nodeName=${own.node}`);
  const workloads: Workload[] = [];
  const claims = own ? [] : await list<Claim>("/api/v1/persistentvolumeclaims");
  if (!own)
    for (const [kind, plural] of WORKLOADS)
      for (const workload of await list<Workload>(`/apis/apps/v1/${plural}`)) workloads.push({ ...workload, kind });
  return {
    cluster: { server: server.url, version: String(version.gitVersion ?? "") },
    nodes: nodes.map((node) => nodeStatus(node, pods)),
    problems: problemsOf({ nodes, pods, workloads, claims }, now),
    alerts: own ? NO_ALERTS : await alertsOf(server),
    unseen,
  };
}

/** Who may not see it, or has an older control plane, is told of none. */
async function alertsOf(server: Server): Promise<Status["alerts"]> {
  try {
    const path = `/api/v1/namespaces/${ALERTS_NAMESPACE}/configmaps/${ALERTS_STATUS}`;
    const { body } = await sendChecked(server, "GET", path);
    const { alerts, more, receivers } = readAlertStatus(body.data as Record<string, string> | undefined);
    return { alerts, more, receivers };
  } catch (error) {
    if (error instanceof HttpError && (error.code === 403 || error.code === 404)) return NO_ALERTS;
    throw error;
  }
}

const WORKLOADS = [
  ["Deployment", "deployments"],
  ["StatefulSet", "statefulsets"],
  ["DaemonSet", "daemonsets"],
] as const;

/** On a machine that only joined, the cluster as its node may see it. */
function ownView({ path }: Home, { server, kubeconfig, context }: Reach) {
  const isNamed = server ?? kubeconfig ?? context ?? process.env[BY_KUBECTL];
  const identity = readIdentity(path);
  if (isNamed || !identity || existsSync(files(path).secret)) return undefined;
  return { node: identity.node, server: { url: identity.server, ca: identity.ca, token: identity.token } };
}

const PAGE = 500;

async function all<T>(server: Server, path: string, query: string): Promise<T[]> {
  const found: T[] = [];
  for (let next = ""; ; ) {
    const asked = [`limit=${PAGE}`, query, next && `continue=${encodeURIComponent(next)}`].filter(Boolean).join("&");
    const { body } = await sendChecked(server, "GET", `${path}?${asked}`);
    found.push(...(body.items as T[]));
    next = (body.metadata as { continue?: string }).continue ?? "";
    if (!next) return found;
  }
}

function nodeStatus(node: Node, pods: readonly Pod[]): NodeStatus {
  const { metadata, spec, status: told } = node;
  const ready = told.conditions?.find(({ type }: Condition) => type === "Ready");
  return {
    name: metadata.name,
    status: [isOnline(node) ? "Ready" : "NotReady", ...(spec.unschedulable ? ["SchedulingDisabled"] : [])].join(","),
    version: told.nodeInfo?.kubeletVersion ?? "",
    address: told.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "",
    ways: metadata.annotations?.[PATHS] ?? "",
    pods: ready ? pods.filter((pod) => pod.spec.nodeName === metadata.name).length : 0,
  };
}

export function shown({ cluster, machine, nodes, problems, alerts, unseen }: Status, now: number): string {
  const head = [
    ...(cluster ? [["cluster", [cluster.server, cluster.version].filter(Boolean).join("  ")]] : []),
    ...(machine ? [["machine", machineWords(machine)]] : []),
  ];
  const rows = [
    ["NODE", "STATUS", "VERSION", "ADDRESS", "PODS", "WAYS"],
    ...nodes.map((node) => [
      node.name,
      node.status,
      node.version || "-",
      node.address || "-",
      `${node.pods}`,
      node.ways || "-",
    ]),
  ];
  const paint = (cell: string) =>
    /^NotReady/.test(cell) ? coloured("red", cell) : /^Ready/.test(cell) ? coloured("green", cell) : cell;
  const parts = [
    table(head, "   "),
    nodes.length ? table(rows, "   ", paint) : "",
    wrong(problems, cluster),
    firing(alerts, now),
  ];
  if (unseen.length) parts.push(`not looked at, for want of permission: ${unseen.join(", ")}\n`);
  return parts.filter(Boolean).join("\n");
}

function machineWords({ name, home, controlPlane, agent, node }: MachineStatus): string {
  const word = (what: string, pid: number | null | undefined) =>
    pid === null ? [] : [`${what} ${pid === undefined ? "does not run" : `runs (pid ${pid})`}`];
  return [`${node ?? name} in ${home}`, ...word("control plane", controlPlane), ...word("agent", agent)].join(", ");
}

/** What fires, since when, and whether anybody was told; then whom it could not be told. */
function firing({ alerts, more, receivers }: Status["alerts"], now: number): string {
  const rows = alerts.map((alert) => [
    alert.rule,
    printable(subjectOf(alert)),
    humanDuration(now - alert.firedAt),
    alert.resolvedAt !== undefined ? "over" : alert.silenced ? "silenced" : alert.toldAt === undefined ? "no" : "yes",
  ]);
  const failures = receivers.flatMap(({ name, error }) => (error ? [`receiver ${name}: ${printable(error)}\n`] : []));
  const others = more > 0 ? [`and ${more} more\n`] : [];
  const heading = ["ALERT", "ABOUT", "FIRES FOR", "TOLD"];
  return [rows.length > 0 ? table([heading, ...rows], "   ") : "", ...others, ...failures].join("");
}

function wrong(problems: readonly Problem[], cluster: Status["cluster"]): string {
  if (problems.length === 0)
    return cluster ? `${coloured("green", "nothing is wrong that the cluster knows of")}\n` : "";
  return problems
    .map(({ severity, kind, namespace, name, cause, remedy }) => {
      const title = `${severity === "error" ? coloured("red", "error") : coloured("yellow", "warning")}  ${printable(`${kind} ${namespace ? `${namespace}/` : ""}${name}`)}`;
      return `${title}\n  ${printable(cause)}\n  ${coloured("dim", "→")} ${printable(remedy)}\n`;
    })
    .join("");
}
