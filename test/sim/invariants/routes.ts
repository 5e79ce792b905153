/** Requests that proxies lead to endpoints, at nodes and at the edge: where they are sent, and which of them are lost. */
import type { CoreV1Pod } from "../../../worker/kinds/generated/types.ts";
import type { Heard, Observation } from "../contract.ts";
import { Endpoints, hasChanged } from "./endpoints.ts";
import type { Step } from "./history.ts";
import type { Rule, Scene, Seen } from "./rule.ts";
import { Troubles } from "./troubles.ts";

type Visit = Extract<Observation, { type: "visit" }>;

export const EDGE = "edge";

/** `namespace/name` of the Service that a host is named after. */
export function serviceOf({ host }: Pick<Visit, "host">): string {
  const [name = "", namespace = ""] = host.split(".");
  return `${namespace}/${name}`;
}

/** A request that is under way. */
type Asked = Visit & {
  since: number;
  /** The newest that was durable when it was begun. */
  revision: number;
  sent: string[];
  reached: { podUid: string; at: number }[];
};

/** What is asked for, and what it is asked of. */
class Asking {
  readonly open = new Map<string, Asked>();
  /** What each node was last known to know. */
  readonly heard = new Map<string, Heard>();
  readonly #services = new Map<string, Endpoints>();
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** The visit that this is of, which is over when it has ended. */
  seen(visit: Visit): Asked | undefined {
    const { history } = this.#scene;
    const service = serviceOf(visit);
    if (!this.#services.has(service)) this.#services.set(service, new Endpoints(history, service));
    if (visit.heard) this.heard.set(visit.node, visit.heard);
    if (visit.state === "begun") {
      const heard = this.heard.get(visit.node);
      const asked = { ...visit, since: visit.at, revision: history.revision, sent: [], reached: [] };
      this.open.set(visit.visit, heard ? { ...asked, heard } : asked);
    }
    const asked = this.open.get(visit.visit);
    if (visit.state === "sent") asked?.sent.push(visit.address ?? "");
    if (visit.state === "reached") asked?.reached.push({ podUid: visit.pod?.podUid ?? "", at: visit.at });
    if (visit.state === "ended") this.open.delete(visit.visit);
    return asked;
  }

  step(step: Step): void {
    for (const endpoints of this.#services.values()) endpoints.step(this.#scene.history, step);
  }

  endpointsOf(visit: Pick<Visit, "host">): Endpoints {
    return this.#services.get(serviceOf(visit)) as Endpoints;
  }
}

/** In which an agent that knows tells its proxy, and in which the Cluster object's word reaches the edge, ms. */
const TOLD_MS = 5_000;
const LED_MS = 20_000;

/** No request is sent to an endpoint that its proxy has been told is gone, or not ready where another one is. */
export const sentWhereTold: Rule = {
  rule: "requests-leave-what-is-gone",
  start(scene) {
    const asking = new Asking(scene);
    /** What the agent of each node knew, from its first request on; a machine that stood still begins anew. */
    const known = new Map<string, { agent: number; told: { at: number; revision: number }[] }>();
    const note = ({ node, at, heard }: Visit) => {
      if (!heard) return void known.delete(node);
      const { agent, revision } = heard;
      const before = known.get(node);
      const last = before?.told.at(-1)?.revision ?? 0;
      if (before?.agent !== agent || revision < last) known.set(node, { agent, told: [{ at, revision }] });
      else if (revision > last) before.told.push({ at, revision });
    };
    return {
      seen(observation) {
        if (observation.type === "fault" && observation.fault.includes("freeze")) known.clear();
        if (observation.type !== "visit") return;
        asking.seen(observation);
        if (observation.node !== EDGE && observation.state !== "reached") note(observation);
        if (observation.state !== "sent") return;
        const { address = "", node, visit, at } = observation;
        const { gone } = asking.endpointsOf(observation).of(address);
        if (!gone) return;
        const toldAt =
          node === EDGE ? gone.at : known.get(node)?.told.find(({ revision }) => revision >= gone.revision)?.at;
        if (toldAt !== undefined && at - toldAt > (node === EDGE ? LED_MS : TOLD_MS))
          scene.fail(
            `visit ${visit} is sent to ${address}, which is gone since ${gone.revision}, ${at - toldAt} ms ago`,
          );
      },
      step: (step) => asking.step(step),
    };
  },
};

/** What is not idempotent reaches one program at most, and that once. */
export const sentOnce: Rule = {
  rule: "requests-are-not-repeated",
  start(scene) {
    const reached = new Map<string, number>();
    return {
      seen(observation) {
        if (observation.type !== "visit" || observation.method !== "POST") return;
        const { visit, state } = observation;
        if (state === "ended") reached.delete(visit);
        if (state !== "reached") return;
        const times = (reached.get(visit) ?? 0) + 1;
        reached.set(visit, times);
        if (times > 1) scene.fail(`visit ${visit}, a ${observation.method}, is sent again after a program had it`);
      },
    };
  },
};

/** Of an answer, where nothing else is said, ms. */
const TIMEOUT_MS = 60_000;
const MOST_TRIES = { node: 5, edge: 3 };
/** So long after anything went wrong the edge may have lost touch with nodes, ms. */
const CALM_MS = 90_000;

/** What failed, where that is no matter of the program's time or of the node's own end. */
const hasFailed = ({ state, status = 0, at }: Visit, { since }: Asked): boolean =>
  state === "ended" && status >= 500 && !(status === 504 && at - since >= TIMEOUT_MS);

/** Ends of programs, by the uids of their pods. */
class Ends {
  readonly #at = new Map<string, number>();

  seen(observation: Seen): void {
    if (observation.type !== "container" || !["exited", "removed"].includes(observation.state)) return;
    this.#at.set(observation.container.podUid, observation.at);
  }

  /** Whether the program that had the request last ended with it. */
  cutOff({ reached }: Asked): boolean {
    const last = reached.at(-1);
    return last !== undefined && (this.#at.get(last.podUid) ?? 0) >= last.at;
  }
}

/** A request whose proxy knows an endpoint that could have answered it all the time is answered, whatever else is wrong. */
export const answeredByAny: Rule = {
  rule: "requests-find-who-answers",
  start(scene) {
    const { history, truth, fail } = scene;
    const asking = new Asking(scene);
    const troubles = new Troubles();
    const ends = new Ends();

    /** An endpoint that is known, and takes requests since before this one. */
    function capable(asked: Asked, knownRevision: number): string | undefined {
      const isEdge = asked.node === EDGE;
      const machines = truth.nodes();
      for (const [address, { since, gone }] of asking.endpointsOf(asked).all) {
        if (gone || since.revision > knownRevision) continue;
        const [node] =
          [...machines].find(([, { listening }]) => (listening?.get(address) ?? asked.since) < asked.since) ?? [];
        const calm = isEdge ? asked.since - CALM_MS : asked.since;
        if (node === undefined || troubles.of(node) >= calm) continue;
        const pods = history.objects<CoreV1Pod>("pods", serviceOf(asked).split("/")[0]);
        const pod = pods.find(({ status }) => status?.podIP === address);
        if (pod && !pod.metadata?.deletionTimestamp) return address;
      }
      return undefined;
    }

    function judge(visit: Visit, asked: Asked): void {
      const isEdge = visit.node === EDGE;
      if (isEdge ? troubles.shared >= asked.since - CALM_MS : troubles.of(visit.node) >= asked.since) return;
      const knownRevision = isEdge ? asked.revision : asked.heard?.revision;
      const isOlder = visit.heard && asked.heard && visit.heard.revision < asked.heard.revision;
      if (knownRevision === undefined || isOlder) return;
      if (asked.sent.length >= MOST_TRIES[isEdge ? "edge" : "node"]) return;
      if (asked.method !== "GET" && ends.cutOff(asked)) return;
      const [namespace = ""] = serviceOf(visit).split("/");
      if (hasChanged(history, namespace, knownRevision)) return;
      const address = capable(asked, knownRevision);
      if (address)
        fail(
          `visit ${visit.visit}, a ${visit.method}, ends with ${visit.status}, and ${address} could have answered it`,
        );
    }

    return {
      seen(observation) {
        troubles.seen(truth, observation);
        ends.seen(observation);
        if (observation.type !== "visit") return;
        const asked = asking.seen(observation);
        if (asked && hasFailed(observation, asked)) judge(observation, asked);
      },
      step: (step) => asking.step(step),
    };
  },
};

/** Pods that are deleted with less grace do not answer what they have, s. */
const LEAST_GRACE_S = 11;
/** So long there has been an endpoint that is ready, ms. */
const READY_MS = 15_000;

/**
 * While nothing goes wrong, no request for a Service that has a ready endpoint all the time is lost, whatever becomes of its
 * pods: those that stop answer what they have, unless they are ended by force.
 */
export const noneLost: Rule = {
  rule: "calm-requests-are-answered",
  start(scene) {
    const { history, truth, fail } = scene;
    const asking = new Asking(scene);
    const troubles = new Troubles();
    const ends = new Ends();
    /** Pods that get less time than their programs need. */
    const forced = new Set<string>();

    /** The node has all that is not quite new. */
    const isUpToDate = ({ node, heard, since }: Asked, { all }: Endpoints): boolean =>
      node === EDGE ||
      [...all.values()]
        .flatMap(({ since, gone }) => [since, ...(gone ? [gone] : [])])
        .every(({ at, revision }) => at > since - TOLD_MS || revision <= (heard?.revision ?? 0));

    function judge(visit: Visit, asked: Asked): void {
      const endpoints = asking.endpointsOf(visit);
      if (troubles.until >= asked.since - CALM_MS) return;
      if (endpoints.barrenAt > asked.since - READY_MS || !isUpToDate(asked, endpoints)) return;
      if (ends.cutOff(asked) && asked.method !== "GET" && forced.has(asked.reached.at(-1)?.podUid ?? "")) return;
      const [namespace = ""] = serviceOf(visit).split("/");
      if (hasChanged(history, namespace, Math.min(asked.revision, asked.heard?.revision ?? asked.revision))) return;
      fail(
        `visit ${visit.visit}, a ${visit.method}, ends with ${visit.status}, though ${visit.host} has ready endpoints`,
      );
    }

    return {
      seen(observation) {
        troubles.seen(truth, observation);
        ends.seen(observation);
        if (observation.type !== "visit") return;
        const asked = asking.seen(observation);
        if (asked && hasFailed(observation, asked)) judge(observation, asked);
      },
      step(step) {
        asking.step(step);
        if (step.resource === "nodes" && step.type === "DELETED") troubles.taken(step.name, step.at);
        if (step.resource !== "pods") return;
        const { deletionGracePeriodSeconds: grace = LEAST_GRACE_S } = step.object.metadata ?? {};
        if (grace < LEAST_GRACE_S || (step.type === "DELETED" && !step.old?.metadata?.deletionTimestamp))
          forced.add(step.uid);
      },
    };
  },
};
