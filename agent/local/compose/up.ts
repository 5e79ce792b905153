/** `skerry compose up` and `down`. */

import { errorText } from "../../../worker/lib/error-text.ts";
import type { KubernetesObject } from "../../compose/convert/model.ts";
import { objectsOf, type Plan, projectSelector, type ServicePlan } from "../../compose/convert/project.ts";
import { reach } from "../reach.ts";
import { addresses } from "./addresses.ts";
import { keyOf, nameOf, ProjectApi, type Stored } from "./api.ts";
import { apiOf, type ComposeContext, type ComposeOptions, planOf, say } from "./plan.ts";
import { Waiting } from "./waiting.ts";

export type UpOptions = ComposeOptions & { dryRun?: boolean; wait: boolean; timeout: number };

export async function up(context: ComposeContext, options: UpOptions): Promise<void> {
  const plan = planOf(context, options);
  const api = new ProjectApi(await reach(context.home, options), plan.namespace, projectSelector(plan.project));
  const before = (await api.hasNamespace()) ? await api.stored() : undefined;
  if (before) await refuseForeign(api, plan, before);
  if (options.dryRun) return dryRun(api, plan, before);
  const waiting = new Waiting(context, api, plan, options.timeout);
  try {
    const gone = stale(plan, before ?? []);
    await prune(
      api,
      gone.filter((object) => !isFile(object)),
      "pruned",
    );
    for (const object of plan.shared)
      if (object.kind !== "Namespace" || !before) await apply(api, object, before ?? []);
    for (const service of plan.services) {
      for (const need of service.needs) await satisfied(context, waiting, service.name, need);
      for (const object of service.objects) await apply(api, object, before ?? [], waiting);
    }
    if (options.wait) for (const { name } of plan.services) await waiting.until(name);
    // Pods of before may have begun anew with them until now.
    await prune(api, gone.filter(isFile), "pruned");
  } finally {
    waiting.end();
  }
  for (const line of await addresses(api, plan)) say(line);
}

async function satisfied(
  { progress }: ComposeContext,
  waiting: Waiting,
  name: string,
  { service, condition, isRequired }: ServicePlan["needs"][number],
): Promise<void> {
  try {
    await waiting.until(service, condition);
  } catch (error) {
    if (isRequired) throw error;
    waiting.pause();
    progress(`${name} comes without it: ${errorText(error)}`);
  }
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
    const was = before?.find((stored) => keyOf(stored) === keyOf(object));
    if (was && isReplaced(was, object)) {
      say(`${nameOf(object)} replaced (dry run)`);
      continue;
    }
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

const isFile = ({ kind }: Stored) => kind === "ConfigMap" || kind === "Secret";

async function prune(api: ProjectApi, gone: readonly Stored[], word: string): Promise<void> {
  for (const object of gone) {
    await api.remove(object);
    say(`${nameOf(object)} ${word}`);
  }
}

/** A Job whose template is another cannot be changed into it, and one that failed does not begin again. */
export function isReplaced(was: Stored, object: KubernetesObject): boolean {
  const template = "skerry.dev/template";
  if (was.kind !== "Job") return false;
  const { conditions = [] } = (was.status ?? {}) as { conditions?: { type: string; status: string }[] };
  const hasFailed = conditions.some(({ type, status }) => type === "Failed" && status === "True");
  return hasFailed || was.metadata.annotations?.[template] !== object.metadata.annotations?.[template];
}

async function apply(
  api: ProjectApi,
  object: KubernetesObject,
  before: readonly Stored[],
  waiting?: Waiting,
): Promise<void> {
  const was = before.find((stored) => keyOf(stored) === keyOf(object));
  if (was && isReplaced(was, object)) {
    await api.remove(was);
    await waiting?.gone(was);
  }
  const done = await api.apply(object);
  waiting?.pause();
  say(`${nameOf(object)} ${outcome(object, done, before)}`);
}

export type DownOptions = ComposeOptions & { volumes?: boolean; timeout: number };

export async function down(context: ComposeContext, options: DownOptions): Promise<void> {
  const { api, project, namespace } = await apiOf(context, options);
  const plan: Plan = { project, namespace, shared: [], services: [], problems: [] };
  const before = await api.stored();
  const waiting = new Waiting(context, api, plan, options.timeout);
  await prune(api, stale(plan, before), "deleted");
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
