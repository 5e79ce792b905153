/** What runs a service's pods: by whether it ends, and whether it keeps something. */
import type { Value } from "../tree.ts";
import { at } from "./attributes.ts";
import { type Context, type KubernetesObject, selectorOf } from "./model.ts";
import type { Pod } from "./pod.ts";
import { digest, isAnnotation, seconds, tidy } from "./values.ts";

/** Beyond this Kubernetes has no more patience either: it waits six minutes between tries by then. */
const TRIES_WITHOUT_END = 1000;

type Restart = { condition: "always" | "on-failure" | "never" | "unsaid"; attempts?: number };

/**
 * A Job is what is to end: `restart: no` and `on-failure`, and what others wait for to end. A service that says nothing
 * is taken for one that runs. Who writes to a volume is a StatefulSet, of which no two pods have one name at a time.
 */
export function workloadOf(context: Context, pod: Pod, isAwaited: boolean): KubernetesObject {
  const { value, name, project } = context;
  const restart = restartOf(value);
  const mode = at(value, "deploy.mode");
  const replicas = replicasOf(value);
  const matchLabels = selectorOf(project.name, name);
  const template = (spec: Pod["spec"]) =>
    tidy({
      metadata: {
        labels: matchLabels,
        ...(Object.keys(pod.annotations).length > 0 && { annotations: pod.annotations }),
      },
      spec,
    });
  const annotations = Object.fromEntries(
    at(value, "deploy.labels")
      ?.entries()
      .filter(([label, text]) => isAnnotation(label) || text.note("is no name for an annotation, and left out"))
      .map(([label, text]) => [label, text.text() ?? ""]) ?? [],
  );
  const make = (apiVersion: string, kind: string, spec: Record<string, unknown>) => {
    const made = context.object(apiVersion, kind, name, { spec });
    if (Object.keys(annotations).length > 0) made.metadata.annotations = annotations;
    return made;
  };
  if (mode?.text() === "global-job") mode.refuse("Kubernetes has no Job of each node", "replicated-job");
  if (mode?.text() === "global")
    return make("apps/v1", "DaemonSet", { selector: { matchLabels }, template: template(pod.spec) });
  const ends = restart.condition === "never" || restart.condition === "on-failure";
  if (mode?.text() === "replicated-job" || ends || (isAwaited && restart.condition === "unsaid")) {
    const restartPolicy = restart.condition === "on-failure" ? "OnFailure" : "Never";
    const attempts = restartPolicy === "Never" ? 0 : (restart.attempts ?? TRIES_WITHOUT_END);
    const spec = {
      completions: replicas,
      parallelism: replicas,
      backoffLimit: attempts,
      template: template({ ...pod.spec, restartPolicy }),
    };
    const job = make("batch/v1", "Job", spec);
    // A Job's template cannot change: one of another is made anew.
    job.metadata.annotations = { ...annotations, "skerry.dev/template": digest(spec) };
    return job;
  }
  if (pod.isWriter)
    return make("apps/v1", "StatefulSet", {
      serviceName: name,
      replicas,
      // Else a pod that never became ready would keep its successor, with what mends it, from coming.
      podManagementPolicy: "Parallel",
      selector: { matchLabels },
      template: template(pod.spec),
    });
  return make("apps/v1", "Deployment", {
    replicas,
    selector: { matchLabels },
    ...updates(at(value, "deploy.update_config"), pod),
    template: template(pod.spec),
  });
}

function replicasOf(service: Value): number {
  return at(service, "deploy.replicas")?.integer() ?? service.get("scale")?.integer() ?? 1;
}

function restartOf(service: Value): Restart {
  const policy = at(service, "deploy.restart_policy");
  if (policy) {
    const told = policy.get("condition")?.text() ?? "any";
    const condition = ({ none: "never", "on-failure": "on-failure", any: "always" } as const)[told];
    const attempts = policy.get("max_attempts")?.integer();
    return condition
      ? { condition, attempts }
      : (policy.get("condition")?.invalid(`${told} is none of none, on-failure, any`) ?? { condition: "unsaid" });
  }
  const restart = service.get("restart");
  const [name = "", count] = (restart?.text() ?? "").split(":");
  if (!restart) return { condition: "unsaid" };
  if (name === "always" || name === "unless-stopped") return { condition: "always" };
  if (name === "no" || name === "false") return { condition: "never" };
  if (name === "on-failure") return { condition: "on-failure", ...(count && { attempts: Number(count) }) };
  return restart.invalid(`${name} is none of no, always, on-failure, unless-stopped`) ?? { condition: "unsaid" };
}

/** Compose ends a container before it starts the next, unless it is told otherwise. */
function updates(config: Value | undefined, pod: Pod): Record<string, unknown> {
  const usesHostPorts =
    pod.spec.hostNetwork || pod.spec.containers.some(({ ports }) => ports?.some((port) => port.hostPort));
  const parallelism = config?.get("parallelism")?.integer() ?? 1;
  const startsFirst = config?.get("order")?.text() === "start-first" && !usesHostPorts;
  const all = parallelism === 0 ? "100%" : parallelism;
  const delay = seconds(config?.get("delay"));
  if (!config && !usesHostPorts) return {};
  return {
    strategy: {
      type: "RollingUpdate",
      rollingUpdate: startsFirst ? { maxSurge: all, maxUnavailable: 0 } : { maxSurge: 0, maxUnavailable: all },
    },
    ...(delay && { minReadySeconds: Math.ceil(delay) }),
  };
}
