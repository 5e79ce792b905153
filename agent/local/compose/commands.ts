/** `skerry compose`: what is asked of the cluster for a compose file. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { stringify } from "yaml";
import { age } from "../../../worker/lib/duration.ts";
import type { Effects } from "../../../worker/lib/effects.ts";
import { errorText } from "../../../worker/lib/error-text.ts";
import type { KubernetesObject } from "../../compose/convert/model.ts";
import {
  type Condition,
  convertProject,
  objectsOf,
  type Plan,
  projectSelector,
  type ServicePlan,
  serviceSelector,
} from "../../compose/convert/project.ts";
import { type Disk, loadProject, type Project } from "../../compose/load/load.ts";
import { problemText } from "../../compose/tree.ts";
import type { Timers } from "../../effects.ts";
import type { Home } from "../home.ts";
import type { Progress } from "../install.ts";
import { type Reach, reach } from "../reach.ts";
import { keyOf, nameOf, type Pod, ProjectApi, type Stored } from "./api.ts";
import { reasons, standing } from "./waiting.ts";

export type ComposeContext = { home: Home; progress: Progress; effects: Effects & Timers };

export type ComposeOptions = Reach & {
  file: string[];
  project?: string;
  namespace?: string;
  profile: string[];
  envFile: string[];
  /** What cannot be had is left out. */
  ignoreUnsupported?: boolean;
};

const LOOK_MS = 500;

const say = (line: string) => process.stdout.write(`${line}\n`);

const disk: Disk = {
  read: (path) => (existsSync(path) && statSync(path).isFile() ? readFileSync(path) : undefined),
  list: (path) => (existsSync(path) && statSync(path).isDirectory() ? readdirSync(path) : undefined),
};

function load(options: ComposeOptions): Project {
  const { file, project, profile, envFile } = options;
  const folder = process.cwd();
  const files = file.length > 0 ? file : (process.env.COMPOSE_FILE?.split(":") ?? []);
  const absolute = (paths: readonly string[]) => paths.map((path) => resolve(folder, path));
  return loadProject(disk, {
    files: absolute(files),
    folder,
    envFiles: absolute(envFile),
    project,
    profiles: profile,
    environment: process.env,
  });
}

/** Tells what is wrong with the files and what cannot be had; goes on only where nothing stands in the way. */
function planOf({ progress }: ComposeContext, options: ComposeOptions): Plan {
  const plan = convertProject(load(options), disk, options.namespace);
  for (const problem of plan.problems) progress(`${problem.severity}: ${problemText(problem)}`);
  const count = (severity: string) => plan.problems.filter((problem) => problem.severity === severity).length;
  if (count("invalid") > 0) throw new Error(`${count("invalid")} errors in the compose file: nothing was done`);
  if (count("refused") > 0 && !options.ignoreUnsupported)
    throw new Error(
      `${count("refused")} things of the compose file cannot be had: nothing was done; with --ignore-unsupported they are left out`,
    );
  return plan;
}

/** Of commands that need no more than the names. */
async function apiOf(
  { home }: ComposeContext,
  options: ComposeOptions,
): Promise<{ api: ProjectApi; project: string; namespace: string }> {
  const project = options.project ?? load(options).name;
  const namespace = options.namespace ?? project;
  return { api: new ProjectApi(await reach(home, options), namespace, projectSelector(project)), project, namespace };
}

export async function convert(context: ComposeContext, options: ComposeOptions): Promise<void> {
  const objects = objectsOf(planOf(context, options));
  process.stdout.write(yamlOf(objects));
}

export const yamlOf = (objects: readonly KubernetesObject[]): string =>
  objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join("---\n");

export type UpOptions = ComposeOptions & { dryRun?: boolean; wait: boolean; timeout: number };

export async function up(context: ComposeContext, options: UpOptions): Promise<void> {
  const plan = planOf(context, options);
  const api = new ProjectApi(await reach(context.home, options), plan.namespace, projectSelector(plan.project));
  const before = (await api.hasNamespace()) ? await api.stored() : undefined;
  if (before) await refuseForeign(api, plan, before);
  if (options.dryRun) return dryRun(api, plan, before);
  const waiting = new Waiting(context, api, plan, options.timeout);
  try {
    await prune(api, plan, before ?? [], "pruned");
    for (const object of plan.shared)
      if (object.kind !== "Namespace" || !before) await apply(api, object, before ?? []);
    for (const service of plan.services) {
      for (const { service: name, condition } of service.needs) await waiting.until(name, condition);
      for (const object of service.objects) await apply(api, object, before ?? [], waiting);
    }
    if (options.wait) for (const { name } of plan.services) await waiting.until(name);
  } finally {
    waiting.end();
  }
  for (const line of await addresses(api, plan)) say(line);
}

/** By one name there is one object: what others have made is not taken over. */
async function refuseForeign(api: ProjectApi, plan: Plan, before: readonly Stored[]): Promise<void> {
  const own = new Set(before.map(keyOf));
  for (const object of objectsOf(plan)) {
    if (object.kind === "Namespace" || own.has(keyOf(object)) || !(await api.get(object))) continue;
    throw new Error(
      `${nameOf(object)} is in the namespace ${plan.namespace} already, and not of the project ${plan.project}: ` +
        "take another namespace or name, or say external: true to use it",
    );
  }
}

async function dryRun(api: ProjectApi, plan: Plan, before: readonly Stored[] | undefined): Promise<void> {
  for (const object of objectsOf(plan)) {
    if (object.kind === "Namespace" && before) continue;
    // What has no namespace yet is tried in one that is there.
    const done = await api.apply(object, before ? plan.namespace : "default");
    say(`${nameOf(object)} ${outcome(object, done, before ?? [])} (dry run)`);
  }
  for (const object of stale(plan, before ?? [])) say(`${nameOf(object)} pruned (dry run)`);
}

function outcome(object: KubernetesObject, done: Stored, before: readonly Stored[]): string {
  const was = before.find((stored) => keyOf(stored) === keyOf(object));
  if (!was) return "created";
  const spec = ({ metadata, status: _, ...rest }: Stored) =>
    JSON.stringify([rest.spec, rest.data, rest.binaryData, metadata.labels, metadata.annotations]);
  return spec(was) === spec(done) ? "unchanged" : "configured";
}

/** What the project has in the cluster and the file no more. Claims stay: there is data in them. */
function stale(plan: Plan, before: readonly Stored[]): Stored[] {
  const wanted = new Set(objectsOf(plan).map(keyOf));
  return before.filter((object) => object.kind !== "PersistentVolumeClaim" && !wanted.has(keyOf(object)));
}

async function prune(api: ProjectApi, plan: Plan, before: readonly Stored[], word: string): Promise<void> {
  for (const object of stale(plan, before)) {
    await api.remove(object);
    say(`${nameOf(object)} ${word}`);
  }
}

async function apply(
  api: ProjectApi,
  object: KubernetesObject,
  before: readonly Stored[],
  waiting?: Waiting,
): Promise<void> {
  const was = before.find((stored) => keyOf(stored) === keyOf(object));
  const template = "skerry.dev/template";
  if (was?.kind === "Job" && was.metadata.annotations?.[template] !== object.metadata.annotations?.[template]) {
    await api.remove(was);
    await waiting?.gone(was);
  }
  const done = await api.apply(object);
  waiting?.pause();
  say(`${nameOf(object)} ${outcome(object, done, before)}`);
}

/** Waits for services, and shows on a terminal for which. */
class Waiting {
  private readonly context: ComposeContext;
  private readonly api: ProjectApi;
  private readonly plan: Plan;
  private readonly timeoutMs: number;
  private shown = "";

  constructor(context: ComposeContext, api: ProjectApi, plan: Plan, timeoutSeconds: number) {
    this.context = context;
    this.api = api;
    this.plan = plan;
    this.timeoutMs = timeoutSeconds * 1000;
  }

  private workload(service: string): KubernetesObject | undefined {
    return this.plan.services.find(({ name }: ServicePlan) => name === service)?.objects.at(-1);
  }

  async until(service: string, condition?: Condition): Promise<void> {
    const workload = this.workload(service);
    if (!workload) return;
    const { now, sleep } = this.context.effects;
    const end = now() + this.timeoutMs;
    for (;;) {
      const stored = await this.api.get(workload);
      const pods = await this.api.pods(serviceSelector(this.plan.project, service));
      const { isThere, isLost, ready, wanted } = stored
        ? standing({ ...stored, kind: workload.kind }, pods, condition)
        : { isThere: false, isLost: "it was deleted meanwhile", ready: 0, wanted: 1 };
      if (isThere) return;
      const why = reasons(pods);
      const told = [isLost, ...why].filter((reason) => reason !== undefined).join("; ");
      if (isLost) throw new Error(`${service}: ${told}`);
      if (now() > end)
        throw new Error(`${service} is not ready after ${this.timeoutMs / 1000} s${told ? `: ${told}` : ""}`);
      this.show(
        `waiting for ${service}: ${ready} of ${wanted} ${condition === "service_started" ? "started" : "ready"}${why[0] ? ` (${why[0]})` : ""}`,
      );
      await sleep(LOOK_MS);
    }
  }

  async gone(object: KubernetesObject): Promise<void> {
    const { now, sleep } = this.context.effects;
    const end = now() + this.timeoutMs;
    while (await this.api.get(object)) {
      if (now() > end) throw new Error(`${nameOf(object)} does not go away`);
      this.show(`waiting for ${nameOf(object)} to go`);
      await sleep(LOOK_MS);
    }
  }

  /** Until none of the project's pods is there. */
  async empty(): Promise<void> {
    const { now, sleep } = this.context.effects;
    const end = now() + this.timeoutMs;
    for (;;) {
      const pods = await this.api.pods(podSelector(this.plan.project));
      if (pods.length === 0) return;
      if (now() > end)
        throw new Error(
          `still there after ${this.timeoutMs / 1000} s: ${pods.map(({ metadata }) => metadata.name).join(", ")}`,
        );
      this.show(`waiting for ${pods.length} pods to end`);
      await sleep(LOOK_MS);
    }
  }

  private show(text: string): void {
    if (!process.stderr.isTTY || text === this.shown) return;
    process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns || 80) - 1)}`);
    this.shown = text;
  }

  /** Makes room for a line. */
  pause(): void {
    if (this.shown) process.stderr.write("\r\x1b[K");
    this.shown = "";
  }

  end(): void {
    this.pause();
  }
}

/** Pods carry the two labels that their Services select by. */
const podSelector = (project: string) => `app.kubernetes.io/part-of=${project},app.kubernetes.io/name`;

type Addressed = { spec: { ports: { port: number; protocol: string; nodePort?: number }[] } };
type Balanced = { loadBalancer?: { ingress?: { ip?: string }[] } };

/** Where published ports are reached. */
async function addresses(api: ProjectApi, plan: Plan): Promise<string[]> {
  const lines: string[] = [];
  for (const { name, objects } of plan.services)
    for (const object of objects) {
      const type = (object.spec as { type?: string } | undefined)?.type;
      if (object.kind !== "Service" || (type !== "LoadBalancer" && type !== "NodePort")) continue;
      const stored = await api.get(object);
      if (!stored) continue;
      const { ports } = (stored as Stored & Addressed).spec;
      const ips = ((stored.status as Balanced | undefined)?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? "");
      const at = type === "NodePort" ? ["any node"] : ips;
      const numbers = ports.map(
        ({ port, nodePort, protocol }) => `${type === "NodePort" ? nodePort : port}/${protocol.toLowerCase()}`,
      );
      lines.push(
        at.length > 0
          ? `${name} is published at ${at.join(", ")}: ${numbers.join(", ")}`
          : `${name} has no address yet for ${numbers.join(", ")}: kubectl -n ${plan.namespace} describe service ${object.metadata.name}`,
      );
    }
  return lines;
}

export type DownOptions = ComposeOptions & { volumes?: boolean; timeout: number };

export async function down(context: ComposeContext, options: DownOptions): Promise<void> {
  const { api, project, namespace } = await apiOf(context, options);
  const plan: Plan = { project, namespace, shared: [], services: [], problems: [] };
  const before = await api.stored();
  const waiting = new Waiting(context, api, plan, options.timeout);
  await prune(api, plan, before, "deleted");
  try {
    await waiting.empty();
  } finally {
    waiting.end();
  }
  const claims = before.filter(({ kind }) => kind === "PersistentVolumeClaim");
  if (options.volumes)
    for (const claim of claims) {
      await api.remove(claim);
      say(`${nameOf(claim)} deleted`);
    }
  else if (claims.length > 0)
    context.progress(`volumes stay: ${claims.map(({ metadata }) => metadata.name).join(", ")}`);
}

export async function ps(context: ComposeContext, options: ComposeOptions): Promise<void> {
  const { api, project } = await apiOf(context, options);
  const rows = (await api.pods(podSelector(project))).map((pod) => row(pod, context.effects.now()));
  const table = [
    ["SERVICE", "POD", "READY", "STATUS", "RESTARTS", "AGE", "NODE"],
    ...rows.toSorted((a, b) => (a.join() < b.join() ? -1 : 1)),
  ];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0))) ?? [];
  for (const cells of table)
    say(
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("   ")
        .trimEnd(),
    );
}

function row({ metadata, spec, status }: Pod, now: number): string[] {
  const containers = status.containerStatuses ?? [];
  const waiting = containers.map(({ state }) => state?.waiting?.reason).find((reason) => reason !== undefined);
  return [
    metadata.labels?.["app.kubernetes.io/name"] ?? "",
    metadata.name,
    `${containers.filter(({ ready }) => ready).length}/${spec.containers.length}`,
    metadata.deletionTimestamp ? "Terminating" : (waiting ?? status.phase),
    String(containers.reduce((sum, { restartCount }) => sum + restartCount, 0)),
    age(metadata.creationTimestamp, now),
    spec.nodeName ?? "<none>",
  ];
}

export type LogsOptions = ComposeOptions & { follow?: boolean; tail?: string };

/** Each line with the service that printed it. */
export async function logs(context: ComposeContext, services: readonly string[], options: LogsOptions): Promise<void> {
  const { api, project } = await apiOf(context, options);
  const all = await api.pods(podSelector(project));
  const nameIn = ({ metadata }: Pod) => metadata.labels?.["app.kubernetes.io/name"] ?? "";
  const wanted = all.filter((pod) => services.length === 0 || services.includes(nameIn(pod)));
  const width = Math.max(0, ...wanted.map((pod) => nameIn(pod).length));
  const query = [options.follow && "follow=true", options.tail && `tailLines=${options.tail}`]
    .filter(Boolean)
    .join("&");
  const print = async (pod: Pod) => {
    try {
      let rest = "";
      const decoder = new TextDecoder();
      for await (const chunk of await api.logs(pod.metadata.name, pod.spec.containers[0]?.name ?? "", query)) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) say(`${nameIn(pod).padEnd(width)} | ${line}`);
      }
      if (rest) say(`${nameIn(pod).padEnd(width)} | ${rest}`);
    } catch (error) {
      context.progress(`${pod.metadata.name}: ${errorText(error)}`);
    }
  };
  if (options.follow) await Promise.all(wanted.map(print));
  else for (const pod of wanted) await print(pod);
}
