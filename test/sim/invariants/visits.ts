/** Requests that nodes' proxies lead to pods, and what is scaled to zero while there are none. */
import { serviceKeyOf } from "../../../worker/kinds/discovery/service-slices.ts";
import type {
  AppsV1Deployment,
  CoreV1Node,
  CoreV1Pod,
  CoreV1Service,
  DiscoveryV1EndpointSlice,
  NetworkingV1Ingress,
} from "../../../worker/kinds/generated/types.ts";
import { SCALED_FROM_ANNOTATION } from "../../../worker/kinds/ingress/idle.ts";
import type { KubeObject } from "../../../worker/lib/object.ts";
import type { Observation } from "../contract.ts";
import { describe, type History, type Step } from "./history.ts";
import type { Rule } from "./rule.ts";

type Visit = Extract<Observation, { type: "visit" }>;

/** Of hosts as the workload makes them. */
function serviceOf({ host }: Pick<Visit, "host">): { namespace: string; name: string } {
  const [name = "", namespace = ""] = host.split(".");
  return { namespace, name };
}

/** Visits that are under way, and since when, ms. */
class Visits {
  readonly all = new Map<string, Visit & { since: number }>();

  seen(observation: Visit): void {
    const { visit, state, at } = observation;
    if (state === "begun") this.all.set(visit, { ...observation, since: at });
    else if (state === "ended") this.all.delete(visit);
  }

  for(step: Pick<Step, "namespace" | "name">): (Visit & { since: number })[] {
    return [...this.all.values()].filter((visit) => {
      const { namespace, name } = serviceOf(visit);
      return namespace === step.namespace && name === step.name;
    });
  }
}

const isReady = (history: History, node: string): boolean =>
  history
    .get<CoreV1Node>("nodes", "", node)
    ?.object.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

const isAsleep = ({ metadata, spec }: Readonly<AppsV1Deployment>): boolean =>
  spec?.replicas === 0 && metadata?.annotations?.[SCALED_FROM_ANNOTATION] !== undefined;

/** Answers of nodes are on their way for so long at most, and a request may come meanwhile, ms. */
const ASKED_MS = 15_000;

/** What has a request that has no answer yet is not scaled to zero, whichever node has the request. */
export const asleepUnasked: Rule = {
  rule: "asleep-only-unasked",
  start({ history, fail }) {
    const visits = new Visits();
    return {
      seen(observation) {
        if (observation.type === "visit") visits.seen(observation);
      },
      step(step) {
        if (step.resource !== "deployments.apps" || step.type !== "MODIFIED") return;
        const { object, old } = step as Step<AppsV1Deployment>;
        if (!old || !isAsleep(object) || isAsleep(old)) return;
        for (const { visit, since, node } of visits.for(step))
          if (step.at - since > ASKED_MS && isReady(history, node))
            fail(`${describe(step)} is scaled to zero, and visit ${visit} waits for ${step.at - since} ms`);
      },
    };
  },
};

/** As long as a request may wait for what starts, and an answer takes, and then some, ms. */
const PATIENCE_MS = 60_000 + 90_000 + 30_000;
const LOOK_EVERY_MS = 10_000;

/** Each request comes to an end in time, by an answer or a refusal. */
export const visitsEnd: Rule = {
  rule: "held-requests-end",
  start({ history, truth, fail }) {
    const visits = new Visits();
    let lookAt = 0;
    function look(): void {
      if (history.at < lookAt) return;
      lookAt = history.at + LOOK_EVERY_MS;
      for (const { visit, since } of visits.all.values())
        if (history.at - since > PATIENCE_MS) fail(`visit ${visit} has no end for ${history.at - since} ms`);
    }
    return {
      seen(observation) {
        if (observation.type === "visit") visits.seen(observation);
        else if (observation.type === "fault") {
          const { do: what, node = 0 } = JSON.parse(observation.fault) as { do: string; node?: number };
          const names = [...truth.nodes().keys()];
          // A machine that stands still answers nobody.
          if (what === "freeze")
            for (const [key, visit] of visits.all)
              if (visit.node === names[node % names.length]) visits.all.delete(key);
        } else look();
      },
      step: look,
    };
  },
};

/** So long at least before and within a wait nothing may have gone wrong, ms. */
const CALM_MS = 90_000;
const WAITED_MS = 55_000;

/** Whoever waits for what is scaled to zero wakes it, where the cluster can hear of it. */
export const visitsWake: Rule = {
  rule: "held-requests-wake",
  start({ history, fail }) {
    const visits = new Visits();
    let disturbedUntil = 0;
    /** When workloads were last anything but asleep. */
    const awakeAt = new Map<string, number>();
    return {
      seen(observation) {
        if (observation.type === "fault") {
          const { ms = 0 } = JSON.parse(observation.fault) as { ms?: number };
          disturbedUntil = Math.max(disturbedUntil, observation.at + ms);
        }
        if (observation.type === "healed") disturbedUntil = Math.min(disturbedUntil, observation.at);
        if (observation.type !== "visit") return;
        const begun = visits.all.get(observation.visit);
        visits.seen(observation);
        if (observation.state !== "ended" || observation.status !== 503 || !begun) return;
        const { since } = begun;
        if (observation.at - since < WAITED_MS || since - disturbedUntil < CALM_MS) return;
        const { namespace, name } = serviceOf(observation);
        const entry = history.get<AppsV1Deployment>("deployments.apps", namespace, name);
        if (!entry || !isAsleep(entry.object) || !history.get("services", namespace, name)) return;
        const slept = awakeAt.get(entry.uid) ?? 0;
        if (slept < since) fail(`visit ${observation.visit} waited in vain for ${describe(entry)}, which slept on`);
      },
      step(step) {
        if (step.resource !== "deployments.apps") return;
        const { object, old, uid, at } = step as Step<AppsV1Deployment>;
        if (!isAsleep(object) || (old && !isAsleep(old))) awakeAt.set(uid, at);
      },
    };
  },
};

/** What nodes were told may be so old, ms. */
const TOLD_MS = 60_000;

/** Requests reach pods of the Service that they are for, as it is or has just been, and none that have ended. */
export const visitsReach: Rule = {
  rule: "requests-reach-their-service",
  start({ history, fail }) {
    /** When pods were last selected. */
    const selectedAt = new Map<string, number>();
    const key = (uid: string, namespace: string, name: string) => `${uid} ${namespace}/${name}`;
    const selects = (service: CoreV1Service | undefined, pod: CoreV1Pod | undefined) => {
      const wanted = Object.entries(service?.spec?.selector ?? {});
      return wanted.length > 0 && wanted.every(([label, value]) => pod?.metadata.labels?.[label] === value);
    };
    return {
      seen(observation) {
        if (observation.type !== "visit" || !observation.pod) return;
        const { namespace, name } = serviceOf(observation);
        const { podUid, ip } = observation.pod;
        const pod = history.byUid<CoreV1Pod>(podUid)?.object;
        const service = history.get<CoreV1Service>("services", namespace, name)?.object;
        const at = selectedAt.get(key(podUid, namespace, name)) ?? 0;
        if (selects(service, pod) || !isReady(history, observation.node)) return;
        if (history.at - at > TOLD_MS)
          fail(`visit ${observation.visit} reached ${ip}, which is no pod of ${namespace}/${name} any more`);
      },
      step(step) {
        if (step.resource !== "pods" || !step.old) return;
        // The end of what is selected is what counts.
        for (const { object, namespace, name } of history.all<CoreV1Service>("services", step.namespace))
          if (selects(object, step.old as CoreV1Pod)) selectedAt.set(key(step.uid, namespace, name), step.at);
      },
    };
  },
};

const INGRESSES = "ingresses.networking.k8s.io";
const ROUTES = "httproutes.gateway.networking.k8s.io";

/** Services that Ingresses and routes of the workload lead to, as `namespace/name`. */
const served = (history: History): string[] => [
  ...history
    .all<NetworkingV1Ingress>(INGRESSES)
    .flatMap(({ namespace, object }) =>
      (object.spec?.rules ?? []).flatMap(({ http }) =>
        (http?.paths ?? []).map(({ backend }) => `${namespace}/${backend.service?.name}`),
      ),
    ),
  ...history
    .all<KubeObject & { spec?: { rules?: { backendRefs?: { name: string }[] }[] } }>(ROUTES)
    .filter(({ namespace, name }) => history.get("gateways.gateway.networking.k8s.io", namespace, name))
    .flatMap(({ namespace, object }) =>
      (object.spec?.rules ?? []).flatMap(({ backendRefs = [] }) =>
        backendRefs.map(({ name }) => `${namespace}/${name}`),
      ),
    ),
];

/** When everything has come to rest: nobody waits, and proxies lead to the ready endpoints and to no others. */
export const backendsFollow: Rule = {
  rule: "rest-backends-follow-endpoints",
  start({ history, truth, fail }) {
    const visits = new Visits();
    return {
      seen(observation) {
        if (observation.type === "visit") visits.seen(observation);
        if (observation.type !== "led") return;
        const { namespace, name } = serviceOf(observation);
        const service = `${namespace}/${name}`;
        if (!served(history).includes(service) || !history.get("services", namespace, name)) return;
        const wanted = addressesOf(endpointsOf(history, service)).join();
        const found = observation.addresses.toSorted().join();
        if (wanted !== found) fail(`the edge leads requests for ${service} to ${found}, and ready are ${wanted}`);
      },
      rested() {
        for (const { visit } of visits.all.values()) fail(`visit ${visit} has no end`);
        const services = served(history).filter((service) => {
          const [namespace = "", name = ""] = service.split("/");
          return history.get("services", namespace, name);
        });
        for (const [node, { running, backends }] of truth.nodes()) {
          if (!running || !isReady(history, node)) continue;
          for (const service of services) if (!backends?.has(service)) fail(`${node} leads no requests to ${service}`);
          for (const [service, led] of backends ?? []) {
            const wanted = endpointsOf(history, service).toSorted().join();
            const found = led.toSorted().join();
            if (wanted !== found) fail(`${node} leads requests for ${service} to ${found}, and ready are ${wanted}`);
          }
        }
      },
    };
  },
};

const addressesOf = (endpoints: readonly string[]): string[] =>
  endpoints.map((endpoint) => endpoint.replace(/:\d+$/, "")).toSorted();

function endpointsOf(history: History, service: string): string[] {
  const [namespace = ""] = service.split("/");
  return history
    .objects<DiscoveryV1EndpointSlice>("endpointslices.discovery.k8s.io", namespace)
    .filter((slice) => serviceKeyOf(slice) === service)
    .flatMap(({ endpoints = [], ports = [] }) =>
      (endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap(({ addresses }) => (ports ?? []).map(({ port }) => `${addresses[0]}:${port}`)),
    );
}
