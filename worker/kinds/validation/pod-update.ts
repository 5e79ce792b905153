import { betweenNumbers } from "../../lib/names.ts";
import { forbiddenField, invalidValue, required } from "../../lib/status.ts";
import { qosClass } from "../core/pod-resources.ts";
import type { CoreV1Container, CoreV1Pod, CoreV1PodSpec, CoreV1Toleration } from "../generated/types.ts";
import { same } from "../paths.ts";
import type { Problems } from "./fields.ts";
import { goDiff, goPodSpec, goValue } from "./go-values.ts";
import { validatePodStatus } from "./pod-status.ts";
import { validateTolerations } from "./scheduling.ts";

/** https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement */
const MAX_SECONDS = 2 ** 31 - 1;
const MAY_CHANGE = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
];

const rules: Readonly<Record<string, (spec: CoreV1PodSpec, old: CoreV1PodSpec) => Problems>> = {
  "": validateSpecUpdate,
  ephemeralcontainers: validateEphemeralUpdate,
  resize: validateResize,
};

export function* validatePodUpdate(pod: CoreV1Pod, before: CoreV1Pod, subresource: string): Problems {
  if (subresource === "status") yield* validatePodStatus(pod, before);
  else if (pod.spec && before.spec) yield* rules[subresource]?.(pod.spec, before.spec) ?? [];
}

function* validateSpecUpdate(spec: CoreV1PodSpec, old: CoreV1PodSpec): Problems {
  for (const list of ["containers", "initContainers"] as const) {
    const [now, then] = [spec[list] ?? [], old[list] ?? []];
    if (now.length !== then.length) {
      yield forbiddenField(`spec.${list}`, "pod updates may not add or remove containers");
      return;
    }
    yield* validateImages(now, `spec.${list}`);
  }
  const wrongDeadline = deadlineProblem(spec.activeDeadlineSeconds, old.activeDeadlineSeconds);
  if (wrongDeadline) {
    yield invalidValue("spec.activeDeadlineSeconds", spec.activeDeadlineSeconds, wrongDeadline);
    if (spec.activeDeadlineSeconds !== undefined) return;
  }
  yield* validateAddedTolerations(spec.tolerations ?? [], old.tolerations ?? []);
  yield* validateRemovedGates(spec, old);
  if (same(spec, old)) return;
  const rest = withAllowedChangesUndone(spec, old);
  if (!same(rest, old))
    yield forbiddenField(
      "spec",
      `pod updates may not change fields other than ${MAY_CHANGE.join(",")}\n${goDiff(goPodSpec(old), goPodSpec(rest))}`,
    );
}

function* validateImages(containers: readonly CoreV1Container[], field: string): Problems {
  for (const [index, { image }] of containers.entries()) {
    if (!image) yield required(`${field}[${index}].image`);
    else if (image.trim() !== image)
      yield invalidValue(`${field}[${index}].image`, image, "must not have leading or trailing whitespace");
  }
}

function deadlineProblem(now: number | undefined, then: number | undefined): string | undefined {
  if (now === undefined) return then === undefined ? undefined : "must not update from a positive integer to nil value";
  if (now < 0 || now > MAX_SECONDS) return betweenNumbers(0, MAX_SECONDS);
  return then !== undefined && then < now ? "must be less than or equal to previous value" : undefined;
}

function* validateAddedTolerations(now: readonly CoreV1Toleration[], then: readonly CoreV1Toleration[]): Problems {
  const kept = then.every(({ tolerationSeconds: _, ...old }) =>
    now.some(({ tolerationSeconds: __, ...toleration }) => same(toleration, old)),
  );
  if (!kept)
    yield forbiddenField("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds");
  else yield* validateTolerations(now, "spec.tolerations");
}

function* validateRemovedGates(spec: CoreV1PodSpec, old: CoreV1PodSpec): Problems {
  const known = new Set((old.schedulingGates ?? []).map((gate) => gate.name));
  for (const [index, { name }] of (spec.schedulingGates ?? []).entries())
    if (!known.has(name))
      yield forbiddenField(
        `spec.schedulingGates[${index}].name`,
        `only deletion is allowed, but found new scheduling gate '${name}'`,
      );
}

/** A copy of the new spec that equals the old one where only what may change was changed. */
function withAllowedChangesUndone(spec: CoreV1PodSpec, old: CoreV1PodSpec): CoreV1PodSpec {
  const undone = structuredClone(spec);
  for (const list of ["containers", "initContainers"] as const)
    for (const [index, container] of (undone[list] ?? []).entries()) {
      const image = old[list]?.[index]?.image;
      if (image !== undefined) container.image = image;
    }
  restore(undone, old, "activeDeadlineSeconds");
  restore(undone, old, "tolerations");
  restore(undone, old, "schedulingGates");
  const grace = old.terminationGracePeriodSeconds;
  if (grace !== undefined && grace < 0 && undone.terminationGracePeriodSeconds === 1)
    restore(undone, old, "terminationGracePeriodSeconds");
  const narrowed = Object.entries(old.nodeSelector ?? {}).every(([key, value]) => spec.nodeSelector?.[key] === value);
  if (old.schedulingGates?.length && narrowed) restore(undone, old, "nodeSelector");
  return undone;
}

function restore<K extends keyof CoreV1PodSpec>(spec: CoreV1PodSpec, old: CoreV1PodSpec, field: K): void {
  if (old[field] === undefined) delete spec[field];
  else spec[field] = old[field];
}

function* validateEphemeralUpdate(spec: CoreV1PodSpec, old: CoreV1PodSpec): Problems {
  const field = "spec.ephemeralContainers";
  for (const container of old.ephemeralContainers ?? []) {
    const now = spec.ephemeralContainers?.find((candidate) => candidate.name === container.name);
    const existing = `existing ephemeral containers "${container.name}"`;
    if (!now) yield forbiddenField(field, `${existing} may not be removed\n`);
    else if (!same(now, container)) {
      const diff = goDiff(goValue("core.EphemeralContainer", container), goValue("core.EphemeralContainer", now));
      yield forbiddenField(field, `${existing} may not be changed\n${diff}`);
    }
  }
}

const RESIZABLE = new Set(["cpu", "memory"]);

/** https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/ */
function* validateResize(spec: CoreV1PodSpec, old: CoreV1PodSpec): Problems {
  if (qosClass({ spec }) !== qosClass({ spec: old }))
    yield invalidValue("spec", qosClass({ spec: old }), "Pod QOS Class may not change as a result of resizing");
  const fixed = (container: CoreV1Container) =>
    [container.resources?.limits, container.resources?.requests].map((list) =>
      Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => !RESIZABLE.has(name))),
    );
  const all = ({ containers, initContainers }: CoreV1PodSpec) => [...(containers ?? []), ...(initContainers ?? [])];
  if (!same(all(spec).map(fixed), all(old).map(fixed)))
    yield forbiddenField("spec", "only cpu and memory resources are mutable");
}
