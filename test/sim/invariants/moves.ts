/** Volumes of nodes' own disks on their way to other nodes: worker/lib/local-volumes.ts tells of it. */
import { podClaims } from "../../../worker/kinds/core/pod-claims.ts";
import type { CoreV1PersistentVolume, CoreV1Pod } from "../../../worker/kinds/generated/types.ts";
import {
  isInBucket,
  LEFT_ON,
  MOVE_TO,
  MOVING_TO,
  placeIn,
  removerOf,
  TRANSFER,
  VOLUME_NODE,
} from "../../../worker/lib/local-volumes.ts";
import { loserOf } from "./faults.ts";
import { describe } from "./history.ts";
import type { Rule, Scene, Seen } from "./rule.ts";

type Volume = CoreV1PersistentVolume;

/** What pods have last left in volumes, as long as no disk that had it was lost. */
class Left {
  readonly #scene: Scene;
  readonly #left = new Map<string, { data: string; nodes: Set<string> }>();
  readonly #lost = new Set<string>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  in(volume: string): string | undefined {
    return this.#lost.has(volume) ? undefined : this.#left.get(volume)?.data;
  }

  sees(observation: Seen): void {
    const loser = loserOf(this.#scene.truth, observation);
    if (loser) this.#lose(loser);
    if (observation.type !== "data") return;
    const { node, volume, left: data } = observation;
    this.#left.set(volume, { data, nodes: (this.#left.get(volume)?.nodes ?? new Set()).add(node) });
  }

  #lose(node: string): void {
    const { history, truth } = this.#scene;
    const onNode = new Set([...truth.copies()].flatMap(({ place, volume }) => (place === node ? volume : [])));
    const relied = new Set<string>();
    for (const { name, object } of history.all<Volume>("persistentvolumes")) {
      const { annotations } = object.metadata ?? {};
      // A copy in the bucket that is the volume is lost with no node, until one has it and may have said so.
      if (isInBucket(annotations) && !onNode.has(name)) relied.add(name);
      else if (annotations?.[VOLUME_NODE] === node || placeIn(annotations, MOVING_TO)?.node === node)
        this.#lost.add(name);
    }
    for (const [volume, { nodes }] of this.#left) if (nodes.has(node) && !relied.has(volume)) this.#lost.add(volume);
  }
}

/** What a pod finds in a volume is what was last left there, on whichever node, unless a disk that had it was lost. */
export const volumesKeepData: Rule = {
  rule: "volumes-keep-their-data",
  start(scene) {
    const left = new Left(scene);
    return {
      seen(observation) {
        const before = observation.type === "data" ? left.in(observation.volume) : undefined;
        left.sees(observation);
        if (observation.type !== "data" || before === undefined || observation.found === before) return;
        const { node, volume, found } = observation;
        scene.fail(`volume ${volume} has "${found}" on ${node}, and "${before}" was left in it`);
      },
    };
  },
};

/** At every moment one place has all that a pod has last left in a volume, a node's disk or the bucket, whatever becomes of it. */
export const volumesAreWhole: Rule = {
  rule: "volumes-are-whole-somewhere",
  start(scene) {
    const { history, truth, fail } = scene;
    const left = new Left(scene);
    function look(volume: string): void {
      const data = left.in(volume);
      const entry = history.get<Volume>("persistentvolumes", "", volume);
      if (data === undefined || !entry || removerOf(entry.object)) return;
      const copies = [...truth.copies()].filter((copy) => copy.volume === volume);
      if (copies.some((copy) => copy.data === data)) return;
      const there = copies.map((copy) => `"${copy.data}" on ${copy.place}`);
      fail(`${describe(entry)} had "${data}", of which no copy is left; there is ${there.join() || "none"}`);
    }
    return {
      step(step) {
        if (step.resource === "persistentvolumes" && step.type !== "DELETED") look(step.name);
      },
      seen(observation) {
        left.sees(observation);
        if (observation.type === "bucket") look(observation.volume);
        if (observation.type === "removal") look(observation.folder.split("/").at(-1)?.split("_")[0] ?? "");
      },
    };
  },
};

/** Only pods of the node that a volume lies on write to it; none while the bucket has it. */
export const oneNodeServes: Rule = {
  rule: "volumes-are-served-by-one-node",
  start({ history, truth, fail }) {
    /** Nodes whose disks were put back: what they have there, they take for what it was. */
    const backward = new Set<string>();
    return {
      seen(observation) {
        const loser = loserOf(truth, observation);
        if (loser) backward.add(loser);
        if (observation.type !== "data" || backward.has(observation.node)) return;
        const { node, volume } = observation;
        const entry = history.get<Volume>("persistentvolumes", "", volume);
        const { annotations } = entry?.object.metadata ?? {};
        const home = isInBucket(annotations) ? "the bucket" : annotations?.[VOLUME_NODE];
        if (entry && home !== node) fail(`a pod on ${node} writes to ${describe(entry)}, which is in ${home}`);
      },
    };
  },
};

/** When everything has come to rest: of volumes that have moved through the bucket, or were to, nothing is left in it. */
export const bucketEmpties: Rule = {
  rule: "rest-bucket-is-empty",
  start: ({ history, truth, fail }) => ({
    rested() {
      for (const key of truth.bucket()) {
        const [, , volume = "", copy] = key.split("/");
        const { annotations } = history.get<Volume>("persistentvolumes", "", volume)?.object.metadata ?? {};
        const places = [placeIn(annotations, MOVING_TO), placeIn(annotations, LEFT_ON)].filter((place) => place);
        const waits = places.some((place) => !truth.nodes().get(place?.node ?? "")?.running);
        if (annotations?.[TRANSFER] !== copy || !waits) fail(`${key} is still in the bucket`);
      }
    },
  }),
};

/** When everything has come to rest: no volume is on its way, and one waits only for pods that have it. */
export const movesEnd: Rule = {
  rule: "rest-moves-are-over",
  start: ({ history, truth, fail }) => ({
    rested() {
      for (const entry of history.all<Volume>("persistentvolumes")) {
        const { annotations } = entry.object.metadata ?? {};
        for (const step of [MOVING_TO, LEFT_ON] as const) {
          const place = placeIn(annotations, step);
          if (place && truth.nodes().get(place.node)?.running)
            fail(`${describe(entry)} has ${step} ${annotations?.[step]}`);
        }
        const to = annotations?.[MOVE_TO];
        const { namespace = "", name = "" } = entry.object.spec?.claimRef ?? {};
        if (!to || entry.object.status?.phase !== "Bound" || !truth.nodes().get(to)?.running) continue;
        const isUsed = history
          .objects<CoreV1Pod>("pods", namespace)
          .some((pod) => pod.spec.nodeName !== to && podClaims(pod).some(({ claim }) => claim === name));
        if (!isUsed) fail(`${describe(entry)} is to move to ${to}, and nothing is in the way`);
      }
    },
  }),
};
