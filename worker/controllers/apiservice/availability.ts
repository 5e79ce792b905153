import { APIService, LOCAL, REGISTRATIONS } from "../../kinds/apiregistration/api-service.ts";
import { Endpoints } from "../../kinds/core/endpoints.ts";
import { Service } from "../../kinds/core/service.ts";
import { same } from "../../kinds/paths.ts";
import { conditionOf, withCondition } from "../conditions.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { ownKey, splitKey, watch } from "../keys.ts";

export const AVAILABILITY = "apiservice-availability";

/** What asking the server for its discovery document gave. */
export type Answer = {
  /** Why it is no answer; absent where it is one. */
  failed?: string;
  /** When it came, ms. */
  at: number;
  /** When what was asked about last changed, ms; absent where this memory did not see it. */
  since?: number;
};

/**
 * Asks an extension server for the discovery document of its group. `print` says what is asked about: an answer about
 * the same is given while it is younger than `maxAgeMs`; else undefined, and the key runs again when there is one.
 */
export type DiscoveryCheck = (name: string, print: string, maxAgeMs: number) => Answer | undefined;

type Verdict = { status: "True" | "False"; reason: string; message: string };

/**
 * A server that does not answer is asked again for so long, in ms, ever more seldom. Then only a change or a request
 * has it asked: a cluster whose extension is broken sleeps like any other.
 */
const PERSISTENCE_MS = 5 * 60_000;
const SOONEST_MS = 1_000;
const LATEST_MS = 30_000;

const refused = (reason: string, message: string): Verdict => ({ status: "False", reason, message });
const PASSED: Verdict = { status: "True", reason: "Passed", message: "all checks passed" };

/**
 * Says in the status of APIServices whether their groups can be asked for.
 * https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/
 */
export function availabilityController(check: DiscoveryCheck): Controller {
  return {
    name: AVAILABILITY,
    watches: [
      watch(APIService, ownKey),
      watch(Service, ({ metadata }, _, view) => behind(view, metadata.namespace, metadata.name)),
      // Servers are reached by the Endpoints of their Services, whose slices say the same a moment sooner.
      watch(Endpoints, ({ metadata }, _, view) => behind(view, metadata.namespace, metadata.name)),
    ],
    reconcile(view, key, { now }) {
      const service = view.get(APIService, "", splitKey(key)[1]);
      if (!service) return [];
      if (!service.spec.service) return settled(service, LOCAL, now);
      const { namespace = "", name: serviceName = "" } = service.spec.service;
      const endpoints = view.get(Endpoints, namespace, serviceName);
      const problem = problemOf(view, service, endpoints);
      if (problem) return settled(service, problem, now);
      const { uid, name = "" } = service.metadata;
      const print = JSON.stringify([uid, service.spec, endpoints?.metadata.resourceVersion]);
      const answer = check(name, print, Number.POSITIVE_INFINITY);
      if (!answer) return [];
      if (answer.failed === undefined) return settled(service, PASSED, now);
      const written = settled(service, refused("FailedDiscoveryCheck", answer.failed), now);
      const pause = pauseAfter(answer, service);
      if (pause === undefined) return written;
      if (now - answer.at < pause) return [...written, { do: "again", afterMs: answer.at + pause - now }];
      check(name, print, 0);
      return written;
    },
  };
}

/** How long to wait before the server is asked again, ms; undefined where it is not. */
function pauseAfter({ at, since }: Answer, { status }: Readonly<APIService>): number | undefined {
  const failing = conditionOf(status?.conditions, LOCAL.type)?.lastTransitionTime;
  const elapsed = at - (since ?? (failing ? Date.parse(failing) : at));
  return elapsed < PERSISTENCE_MS ? Math.min(LATEST_MS, Math.max(SOONEST_MS, elapsed / 2)) : undefined;
}

/** The APIServices that a Service of this name stands behind. */
function* behind(view: View, namespace: string | undefined, name: string | undefined): Iterable<string> {
  for (const [key, { extension }] of view.digest(REGISTRATIONS))
    if (extension && extension.service.name === name && extension.service.namespace === namespace) yield key;
}

/** What is wrong before anyone is asked. */
function problemOf(
  view: View,
  { spec }: Readonly<APIService>,
  endpoints: Readonly<Endpoints> | undefined,
): Verdict | undefined {
  const { namespace = "", name = "", port } = spec.service ?? {};
  const where = `service/${name} in ${JSON.stringify(namespace)}`;
  const service = view.get(Service, namespace, name);
  if (!service) return refused("ServiceNotFound", `${where} is not present`);
  if (service.spec.type !== "ClusterIP") return undefined;
  const served = service.spec.ports?.find((candidate) => candidate.port === port);
  if (!served) return refused("ServicePortError", `${where} is not listening on port ${port}`);
  if (!endpoints) return refused("EndpointsNotFound", `cannot find endpointslices for ${where}`);
  const portName = served.name ?? "";
  const isActive = endpoints.subsets?.some(
    ({ addresses = [], ports = [] }) => addresses.length > 0 && ports.some(({ name = "" }) => name === portName),
  );
  if (isActive) return undefined;
  const missing = `have no addresses with port name ${JSON.stringify(portName)}`;
  return refused("MissingEndpoints", `endpointslices for ${where} ${missing}`);
}

function settled(service: Readonly<APIService>, verdict: Verdict, now: number): Intent[] {
  const conditions = withCondition(service.status?.conditions, { type: LOCAL.type, ...verdict }, now);
  if (same(conditions, service.status?.conditions)) return [];
  return [{ do: "updateStatus", kind: APIService, object: { ...service, status: { conditions } } as APIService }];
}
