/**
 * Scales what Services lead to that say so to zero replicas when nobody has asked for them for a time, by an Ingress or by
 * their own addresses, and to what it was when somebody does: nodes and the edge hold requests and connections meanwhile,
 * and tell of them.
 */
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { Service } from "../../kinds/core/service.ts";
import { SOURCES } from "../../kinds/gateway/sources.ts";
import { tablesOf } from "../../kinds/gateway/tables.ts";
import { IDLE_ANNOTATION, idleTimeOf, isWoken, SCALED_FROM_ANNOTATION, type Waker } from "../../kinds/ingress/idle.ts";
import { answeringIn, routesOf, servedIngresses } from "../../kinds/ingress/routes.ts";
import { Ingress } from "../../kinds/networking/ingress.ts";
import { IngressClass } from "../../kinds/networking/ingress-class.ts";
import { copy, same } from "../../kinds/paths.ts";
import { scaleFigures, setReplicas } from "../../kinds/scale.ts";
import { isIp } from "../../kinds/validation/ip.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Controller, Digest, Intent, View } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { sourcesIn } from "../gateway/gateway.ts";
import { keyOf, splitKey } from "../keys.ts";
import { areAllReadyIn, becameReady, isAnyReady } from "../nodes/readiness.ts";
import { isScalable, leadsTo, podLabels, servicesOf, type Workload, workloadsOf } from "./workloads.ts";

export const SCALE_TO_ZERO = "scale-to-zero-controller";

/** That something waits for a Service: when that was last said, ms, and what waits where that is a connection. */
export type Wake = { at: number; by?: Waker | undefined };

/**
 * What nodes have seen of requests for some Services: when the last one began or ended, ms; or that one has no answer yet;
 * or that it is not known, since a connected node did not say. `by` are those that did, `told` is when they did.
 */
export type Heard = { last: number | "pending" | "unknown"; by: ReadonlySet<string>; told: number };

export type ScaleToZeroParts = {
  /** Asks nodes about Services, `namespace/name`; undefined while answers are on the way: the key runs again when they are there. */
  ask(key: string, print: string, services: readonly string[]): Heard | undefined;
  /** What was last said to wait, by key. */
  wakes: Map<string, Wake>;
  memories: { recall(key: string): string | undefined; remember(key: string, text: string | undefined): void };
};

type Single = Exclude<Intent, { do: "again" | "together" }>;

/** Who waits for a Service says so again before that. */
const WAKE_LASTS_MS = 60_000;
/** An answer is good for so long, ms. */
const FRESH_MS = 2_000;
const AGAIN_MS = 15_000;
/** Of nodes that stay away or silent it is asked ever more seldom, up to this. */
const MAX_AGAIN_MS = 3_600_000;
/** Somebody else has just written it: it is looked at again at once. */
const CONFLICT = 409;
const SCOPES = ["lan", "edge"] as const;
const NOT_SEEN =
  "it has no address of its own, and no Ingress or route of a gateway leads to it: what is asked of it is not seen";

/** Those that are to be scaled to zero, and what they lead to. */
const ASKING: Digest<Service, Pick<Service, "spec"> | undefined> = {
  kind: Service,
  of: (service) => (idleTimeOf(service) === undefined ? undefined : { spec: service.spec }),
};

function* asking(view: View, namespace: string): Iterable<[key: string, service: Pick<Service, "spec">]> {
  for (const [key, service] of view.digest(ASKING)) if (service && splitKey(key)[0] === namespace) yield [key, service];
}

const backendNames = ({ spec }: Readonly<Ingress>): string[] =>
  [
    spec?.defaultBackend,
    ...(spec?.rules ?? []).flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend)),
  ].flatMap((backend) => backend?.service?.name ?? []);

function* allAsking(view: View): Iterable<string> {
  for (const [key, service] of view.digest(ASKING)) if (service) yield key;
}

/** The keys of Services whose case a write may change. */
const concerned: NonNullable<Controller["keysForAny"]> = function* (kind, object, old, type, view) {
  const namespace = object.metadata?.namespace ?? "";
  if (kind.groupResource === Service.groupResource) {
    const gist = ({ metadata, spec }: Service) => [
      metadata.annotations?.[IDLE_ANNOTATION],
      spec?.selector,
      spec?.clusterIP,
      spec?.clusterIPs,
    ];
    const [now, before] = [object as Service, old as Service | undefined];
    const isNew = !before || type === "DELETED";
    if (isNew ? idleTimeOf(now) !== undefined : !same(gist(now), gist(before))) yield keyOf(object);
  } else if (kind.groupResource === Ingress.groupResource) {
    const names = new Set(backendNames(object as Ingress).map((name) => `${namespace}/${name}`));
    for (const [key] of asking(view, namespace)) if (names.has(key)) yield key;
  } else if (SOURCES.has(kind.groupResource)) {
    yield* allAsking(view);
  } else if (kind.groupResource === Node.groupResource) {
    if (becameReady(object as Node, old as Node | undefined)) yield* allAsking(view);
  } else if (isScalable(kind)) {
    const replicas = (of: typeof object) => scaleFigures(kind.scale, of).replicas;
    if (old && type !== "DELETED" && replicas(old) === replicas(object)) return;
    const labels = podLabels(kind, object);
    for (const [key, service] of asking(view, namespace)) if (leadsTo(service, labels)) yield key;
  }
};

/**
 * What is remembered of a Service's workloads: their replicas by uid, since when they are that large, and since when
 * it is not known whether anybody asks for them; ms.
 */
type Memory = { sizes: Record<string, number>; at: number; silentSince?: number };

export function scaleToZero({ ask, wakes, memories }: ScaleToZeroParts): Controller {
  const recalled = (key: string) => JSON.parse(memories.recall(key) ?? "null") as Memory | null;

  /** Since when the workloads are as large as they are, ms; they are larger than before from now on where that is news. */
  function since(key: string, awake: readonly Workload[], now: number): number {
    const known = recalled(key);
    const sizes = Object.fromEntries(awake.map(({ object, replicas }) => [object.metadata?.uid ?? "", replicas]));
    const hasGrown = Object.entries(sizes).some(([uid, replicas]) => replicas > (known?.sizes[uid] ?? 0));
    const at = known && !hasGrown ? known.at : now;
    if (!same(known?.sizes, sizes)) memories.remember(key, JSON.stringify({ sizes, at }));
    return at;
  }

  function forget(key: string): void {
    if (memories.recall(key) !== undefined) memories.remember(key, undefined);
  }

  /** After how long a silence is asked into again, ms: as long as it has lasted. */
  function silence(key: string, now: number): number {
    const { silentSince = now } = recalled(key) ?? {};
    return Math.min(Math.max(now - silentSince, AGAIN_MS), MAX_AGAIN_MS);
  }

  /** Remembers since when it is not known whether anybody asks, or that it is. */
  function setSilent(key: string, silentSince: number | undefined): void {
    const known = recalled(key);
    if (!known || (known.silentSince === undefined) === (silentSince === undefined)) return;
    const { sizes, at } = known;
    memories.remember(key, JSON.stringify({ sizes, at, silentSince }));
  }

  /** The next look at what is not at zero, or its end. */
  function watched(view: View, service: Readonly<Service>, awake: readonly Workload[], now: number): Intent[] {
    const key = keyOf(service);
    const [namespace] = splitKey(key);
    const services = servicesOf(view, namespace, awake);
    const times = services.map(idleTimeOf);
    const idleMs = Math.max(...times.map((time) => (typeof time === "number" ? time : 0)));
    const at = since(key, awake, now);
    if (now < at + idleMs) return [{ do: "again", afterMs: at + idleMs - now }];
    if (!isSeen(view, namespace, services)) return [warning(service, "NotScaledToZero", NOT_SEEN)];
    if (!isAnyReady(view)) return [];
    const heard = ask(key, String(at), services.map(keyOf));
    // The answer brings it back, unless memory is lost: the sooner of two deadlines counts, so that this one is late.
    if (!heard) return [{ do: "again", afterMs: Math.max(idleMs, silence(key, now)) }];
    if (now - heard.told > FRESH_MS) return [{ do: "again", afterMs: AGAIN_MS }];
    // One that the cluster cannot reach serves its network all the same, and is left what it has. One that is ready is on
    // its way back, as all are after the cluster's memory was lost: it may have the very request that the others lack.
    const isKnown = heard.last !== "unknown" && areAllReadyIn(heard.by, view) && areAmong(heard.by, view, services);
    setSilent(key, isKnown ? undefined : now);
    if (!isKnown || heard.last === "unknown") return [{ do: "again", afterMs: silence(key, now) }];
    if (heard.last === "pending") return [{ do: "again", afterMs: idleMs }];
    if (now < heard.last + idleMs) return [{ do: "again", afterMs: heard.last + idleMs - now }];
    return awake.map((workload) => scaledToZero(workload, service, idleMs));
  }

  return {
    name: SCALE_TO_ZERO,
    watches: "all",
    keysForAny: concerned,
    reconcile(view, key, { now }) {
      const service = view.get(Service, ...splitKey(key));
      const idleMs = service && !service.metadata.deletionTimestamp ? idleTimeOf(service) : undefined;
      if (!service || idleMs === undefined || idleMs === "invalid") {
        wakes.delete(key);
        forget(key);
        if (!service) return [];
        return [...(idleMs === "invalid" ? [invalid(service)] : []), ...leftAsleep(view, service)];
      }
      const workloads = workloadsOf(view, service);
      const awake = workloads.filter(({ replicas }) => replicas > 0);
      if (awake.length > 0) {
        wakes.delete(key);
        return [...awake.flatMap(unmarked), ...watched(view, service, awake, now)];
      }
      forget(key);
      const wake = wakes.get(key);
      if (!wake || now - wake.at >= WAKE_LASTS_MS || workloads.length === 0) {
        wakes.delete(key);
        return [];
      }
      const known = workloads.filter(({ from }) => from !== undefined);
      return (known.length > 0 ? known : workloads).map((workload) => scaledUp(workload, key, wake));
    },
    refused(_, __, { intent, error }) {
      const [update, event] = intent.do === "together" ? intent.intents : [];
      if (update?.do !== "update" || event?.do !== "event" || error.code === CONFLICT) return [];
      return [warning(update.object, "FailedRescale", `${event.message}; error: ${error.message}`)];
    },
  };
}

/** What nothing wakes any more, since its Service no longer says that it is to sleep, comes back. */
function leftAsleep(view: View, service: Readonly<Service>): Intent[] {
  const [namespace, name] = splitKey(keyOf(service));
  const why = `service "${name}" is not to be scaled to zero any more`;
  return workloadsOf(view, service).flatMap((workload) => {
    const { replicas, from } = workload;
    if (replicas > 0 || from === undefined || servicesOf(view, namespace, [workload]).some(isWoken)) return [];
    return scaled(workload, from, "ScaledFromZero", why);
  });
}

/** Whether who asks for one of these is seen: by its own address, by an Ingress of ours, or by a route of a gateway of ours. */
function isSeen(view: View, namespace: string, services: readonly Readonly<Service>[]): boolean {
  if (services.some(hasAddress)) return true;
  const names = new Set(services.map(({ metadata }) => metadata.name ?? ""));
  const [ingresses, classes, sources] = [view.list(Ingress, namespace), view.list(IngressClass), sourcesIn(view)];
  return SCOPES.some((scope) => {
    const gateways = Object.values(tablesOf(sources, scope)?.ports ?? {}).map(({ routes }) => routes);
    const all = [routesOf(servedIngresses(ingresses, classes, scope)), ...gateways];
    return all.flatMap(answeringIn).some((target) => target.namespace === namespace && names.has(target.service));
  });
}

const hasAddress = ({ spec }: Readonly<Service>): boolean =>
  spec?.type !== "ExternalName" && (spec?.clusterIPs ?? [spec?.clusterIP ?? ""]).some(isIp);

/** Whether all pods of these are on nodes of that set. */
function areAmong(nodes: ReadonlySet<string>, view: View, services: readonly Readonly<Service>[]): boolean {
  return view
    .list(Pod, services[0]?.metadata.namespace)
    .filter((pod) => !pod.metadata.deletionTimestamp && pod.spec.nodeName && !nodes.has(pod.spec.nodeName))
    .every((pod) => !services.some((service) => leadsTo(service, pod.metadata.labels ?? {})));
}

const invalid = (service: Readonly<Service>): Intent =>
  warning(
    service,
    "InvalidScaleToZero",
    `the annotation ${IDLE_ANNOTATION} is to be a duration of at least 1s, such as 5m: ${JSON.stringify(service.metadata.annotations?.[IDLE_ANNOTATION])}`,
  );

/** How many replicas it had is written on what is scaled to zero, and on nothing else. */
function marked(object: Readonly<KubeObject>, from: number | undefined): KubeObject {
  const { [SCALED_FROM_ANNOTATION]: _, ...others } = object.metadata?.annotations ?? {};
  const annotations = from === undefined ? others : { ...others, [SCALED_FROM_ANNOTATION]: String(from) };
  return { ...copy(object), metadata: { ...object.metadata, annotations } };
}

/** One write, and what is told of it. */
function scaled({ kind, paths, object, replicas: before }: Workload, to: number, reason: string, why: string): Intent {
  const changed = marked(object, to === 0 ? before : undefined);
  setReplicas(paths, changed, to);
  const message = `Scaled from ${before || "zero"} to ${to || "zero"}: ${why}`;
  return {
    do: "together",
    intents: [{ do: "update", kind, object: changed }, normal(object, reason, message) as Single],
  };
}

function scaledToZero(workload: Workload, { metadata }: Readonly<Service>, idleMs: number): Intent {
  const why = `there was no request for service "${metadata.name}" for ${idleMs / 1000} s`;
  return scaled(workload, 0, "ScaledToZero", why);
}

function scaledUp(workload: Workload, key: string, { by }: Wake): Intent {
  const service = `service "${splitKey(key)[1]}"`;
  const why = by ? `${wordsOf(by)} of ${service}` : `requests wait for ${service}`;
  return scaled(workload, workload.from ?? 1, "ScaledFromZero", why);
}

const wordsOf = ({ protocol, port, address }: Waker): string =>
  protocol === "TCP"
    ? `a connection from ${address} waits for port ${port}`
    : `a datagram from ${address} came for port ${port}`;

/** It was scaled up by somebody else: what it had before is no longer of interest. */
const unmarked = ({ kind, object }: Workload): Intent[] =>
  object.metadata?.annotations?.[SCALED_FROM_ANNOTATION] === undefined
    ? []
    : [{ do: "update", kind, object: marked(object, undefined) }];
