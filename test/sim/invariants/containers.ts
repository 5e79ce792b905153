/** What runs on machines, whatever their agents believe. */
import type { ContainerFact, Observation } from "../contract.ts";
import { controllerOf, type Step } from "./history.ts";
import { isForced, type Pod } from "./pods.ts";
import type { Rule } from "./rule.ts";

type Running = ContainerFact & { node: string };
type Told = Extract<Observation, { type: "container" }>;

/** Keeps the running containers by a key; says which others run under the same one when another starts. */
function byKey(keyOf: (container: ContainerFact, node: string) => string | undefined) {
  const running = new Map<string, Map<string, Running>>();
  return ({ container, node, state }: Told): Running[] => {
    const key = keyOf(container, node);
    if (key === undefined) return [];
    const same = running.get(key) ?? new Map<string, Running>();
    running.set(key, same);
    const id = `${node}/${container.id}`;
    if (state !== "running") {
      same.delete(id);
      return [];
    }
    const others = [...same.entries()].filter(([other]) => other !== id).map(([, other]) => other);
    same.set(id, { ...container, node });
    return others;
  };
}

const describe = ({ namespace, pod, name, podUid, id, node }: Running): string =>
  `container ${id} (${name} of ${namespace}/${pod} ${podUid}) on ${node}`;

/** A pod has one container of a name at a time, its sandbox included. */
export const oneContainerAName: Rule = {
  rule: "never-two-containers-of-one-name",
  start({ fail }) {
    const note = byKey(({ podUid, name }) => `${podUid}/${name}`);
    return {
      seen(observation) {
        if (observation.type !== "container") return;
        const [other] = note(observation);
        if (other)
          fail(`${describe({ ...observation.container, node: observation.node })} runs beside ${describe(other)}`);
      },
    };
  },
};

/**
 * Two pods of one identity never run at once, unless the first was taken away by force. A machine whose disk was put
 * back to an earlier day starts what it had then, until it hears better.
 */
export const oneIdentity: Rule = {
  rule: "never-two-pods-of-one-identity",
  start({ history, requests, fail }) {
    const stateful = new Set<string>();
    const forced = new Set<string>();
    const gone = new Set<string>();
    let isRestored = false;
    const note = byKey(({ namespace, pod, podUid, name }) =>
      stateful.has(podUid) && name !== "POD" ? `${namespace}/${pod}` : undefined,
    );
    return {
      step(step) {
        if (step.resource !== "pods") return;
        if (step.type === "ADDED" && controllerOf(step.object)?.kind === "StatefulSet") stateful.add(step.uid);
        if (step.type !== "DELETED") return;
        gone.add(step.uid);
        if (isForced(history, requests, step as Step<Pod>)) forced.add(step.uid);
      },
      seen(observation) {
        if (observation.type === "fault") isRestored ||= observation.fault.includes('"restore"');
        if (observation.type !== "container") return;
        const { container, state } = observation;
        if (isRestored && state === "running" && gone.has(container.podUid)) forced.add(container.podUid);
        const other = note(observation).find(({ podUid }) => podUid !== container.podUid && !forced.has(podUid));
        if (other && !forced.has(container.podUid))
          fail(`${describe({ ...observation.container, node: observation.node })} runs beside ${describe(other)}`);
      },
    };
  },
};

/** A pod's containers start on the node that it is bound to. */
export const runsWhereBound: Rule = {
  rule: "pods-run-where-they-are-bound",
  start({ history, fail }) {
    const homes = new Map<string, string>();
    for (const pod of history.objects<Pod>("pods"))
      if (pod.spec.nodeName) homes.set(pod.metadata.uid ?? "", pod.spec.nodeName);
    return {
      step({ resource, object, uid }) {
        const home = resource === "pods" ? (object as Pod).spec.nodeName : undefined;
        if (home) homes.set(uid, home);
      },
      seen(observation) {
        if (observation.type !== "container" || observation.state !== "running") return;
        const { container, node } = observation;
        if (homes.get(container.podUid) !== node)
          fail(
            `${describe({ ...container, node })} runs, and its pod is bound to ${homes.get(container.podUid) ?? "no node"}`,
          );
      },
    };
  },
};

/** No two running sandboxes of a node have one address. */
export const podAddressesUnique: Rule = {
  rule: "pod-addresses-are-unique",
  start({ fail }) {
    const note = byKey(({ name, ip }, node) => (name === "POD" && ip ? `${node}/${ip}` : undefined));
    return {
      seen(observation) {
        if (observation.type !== "container") return;
        const [other] = note(observation);
        if (other)
          fail(
            `${describe({ ...observation.container, node: observation.node })} has ${other.ip}, as ${describe(other)} has`,
          );
      },
    };
  },
};

/** Containers of one pod that run now, by their names. */
export function runningOf(containers: Iterable<Running & { state: string }>, podUid: string): Map<string, Running> {
  const found = new Map<string, Running>();
  for (const container of containers)
    if (container.podUid === podUid && container.state === "running") found.set(container.name, container);
  return found;
}
