/** What never happens to an object, of whatever kind. */
import { read, same } from "../../../worker/kinds/paths.ts";
import type { KubeObject, ObjectMeta } from "../../../worker/lib/object.ts";
import { describe, type Step } from "./history.ts";
import { FINALIZER_PREFIX } from "./marker.ts";
import type { Rule } from "./rule.ts";

/** Kinds whose generation counts the changes of their spec, whoever makes them. */
const GENERATED = new Set([
  "deployments.apps",
  "replicasets.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "jobs.batch",
  "cronjobs.batch",
  "poddisruptionbudgets.policy",
]);

/** https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#metadata */
export const metadataLasts: Rule = {
  rule: "metadata-lasts",
  start: ({ fail }) => ({
    step(step) {
      const { old, object } = step;
      if (!old || step.type === "DELETED") return;
      const problem = lost(old.metadata ?? {}, object.metadata ?? {}) ?? generationProblem(step);
      if (problem) fail(`${describe(step)} at ${step.revision}: ${problem}`);
    },
  }),
};

function lost(old: ObjectMeta, now: ObjectMeta): string | undefined {
  if (old.creationTimestamp !== now.creationTimestamp) return "another time of creation";
  if (!old.deletionTimestamp) return undefined;
  if (!now.deletionTimestamp) return "its deletion was called off";
  if (Date.parse(now.deletionTimestamp) > Date.parse(old.deletionTimestamp)) return "its deletion was put off";
  const added = now.finalizers?.find(
    (finalizer) => !old.finalizers?.includes(finalizer) && finalizer.startsWith(FINALIZER_PREFIX),
  );
  return added && `finalizer ${added} was added while it is being deleted`;
}

function generationProblem({ resource, old, object }: Step): string | undefined {
  if (!GENERATED.has(resource) || !old) return undefined;
  const before = old.metadata?.generation ?? 0;
  const after = object.metadata?.generation ?? 0;
  const isMarked = !old.metadata?.deletionTimestamp && object.metadata?.deletionTimestamp !== undefined;
  const moves = isMarked || !same(read(old, "spec"), read(object, "spec"));
  if (after === before + (moves ? 1 : 0)) return undefined;
  // Of a Deployment annotations count too, unless they come with its status.
  const annotated = !same(old.metadata?.annotations, object.metadata?.annotations);
  if (resource === "deployments.apps" && annotated && after === before + 1) return undefined;
  return `generation went from ${before} to ${after} with the spec ${moves ? "changed" : "as it was"}`;
}

/** An object goes only without finalizers; those of clients are theirs to take off. */
export const finalizersHold: Rule = {
  rule: "finalizers-hold",
  start: ({ requests, fail }) => ({
    step(step) {
      const { old, object, type } = step;
      const held = old?.metadata?.finalizers?.filter((finalizer) => finalizer.startsWith(FINALIZER_PREFIX)) ?? [];
      const dropped = held.filter(
        (finalizer) => type === "DELETED" || !object.metadata?.finalizers?.includes(finalizer),
      );
      if (dropped.length === 0) return;
      const writes = requests
        .writesTo(step)
        .some(({ method, subresource }) => (method === "PUT" || method === "PATCH") && subresource === "");
      if (!writes) fail(`${describe(step)} lost ${dropped.join()} at ${step.revision}, and no client took it off`);
    },
  }),
};

type Phased = KubeObject & { status?: { phase?: string; conditions?: { type: string; status: string }[] } };

/** A pod that has ended does not begin again, a Job that is over stays over. */
export const endsAreFinal: Rule = {
  rule: "ends-are-final",
  start: ({ fail }) => ({
    step(step) {
      const { old, object, type, resource } = step as Step<Phased>;
      if (!old || type === "DELETED") return;
      if (resource === "pods") {
        const { phase } = old.status ?? {};
        if ((phase === "Succeeded" || phase === "Failed") && object.status?.phase !== phase)
          fail(`${describe(step)} was ${phase} and is ${object.status?.phase} at ${step.revision}`);
      }
      if (resource === "jobs.batch") {
        const before = verdict(old);
        if (before && verdict(object) !== before)
          fail(`${describe(step)} was ${before} and is ${verdict(object) ?? "running"} at ${step.revision}`);
      }
    },
  }),
};

const verdict = ({ status }: Phased): string | undefined =>
  status?.conditions?.find(({ type, status: state }) => (type === "Complete" || type === "Failed") && state === "True")
    ?.type;

/** A namespace that goes takes nothing in, and goes when it is empty. */
export const namespacesEmpty: Rule = {
  rule: "namespaces-empty-first",
  start: ({ history, fail }) => ({
    step(step) {
      const { type, namespace, resource, name } = step;
      if (type === "ADDED" && namespace !== "") {
        const home = history.get("namespaces", "", namespace);
        if (!home) fail(`${describe(step)} was made in a namespace that is not there`);
        else if (home.object.metadata?.deletionTimestamp)
          fail(`${describe(step)} was made in a namespace that is going`);
      }
      if (type !== "DELETED" || resource !== "namespaces") return;
      for (const left of history.resources())
        for (const entry of history.all(left, name)) fail(`namespace ${name} went before ${describe(entry)}`);
    },
  }),
};
