/** Which endpoints a Service leads to, as its EndpointSlices say, and since when. */
import { serviceKeyOf } from "../../../worker/kinds/discovery/service-slices.ts";
import type { DiscoveryV1EndpointSlice } from "../../../worker/kinds/generated/types.ts";
import { firstAfter, type History, type Step } from "./history.ts";

const SLICES = "endpointslices.discovery.k8s.io";

type Moment = { revision: number; at: number };
/** An endpoint that is led to, or was and is so no more. */
export type Known = { since: Moment; gone?: Moment };

/** By address: those that are ready, or else those that still serve while they end. */
export function ledTo(history: History, service: string): { addresses: Set<string>; areReady: boolean } {
  const [namespace = ""] = service.split("/");
  const all = history
    .objects<DiscoveryV1EndpointSlice>(SLICES, namespace)
    .filter((slice) => serviceKeyOf(slice) === service)
    .flatMap(({ endpoints }) => endpoints ?? []);
  const ready = all.filter(({ conditions }) => conditions?.ready !== false);
  const ending = all.filter(({ conditions }) => conditions?.serving && conditions.terminating);
  const chosen = ready.length > 0 ? ready : ending;
  return { addresses: new Set(chosen.map(({ addresses }) => addresses[0] ?? "")), areReady: ready.length > 0 };
}

/** Of one Service, from the first request for it on. */
export class Endpoints {
  readonly all = new Map<string, Known>();
  /** When it last had none that is ready, ms. */
  barrenAt = 0;
  readonly #begun: Moment;
  readonly #service: string;

  constructor(history: History, service: string) {
    this.#service = service;
    this.#begun = { revision: history.revision, at: history.at };
    this.#look(history, this.#begun);
  }

  /** One that was never led to has been gone since before anybody asked. */
  of(address: string): Known {
    return this.all.get(address) ?? { since: this.#begun, gone: this.#begun };
  }

  step(history: History, { revision, at, resource, object }: Step): void {
    if (resource === SLICES && serviceKeyOf(object as DiscoveryV1EndpointSlice) === this.#service)
      this.#look(history, { revision, at });
  }

  #look(history: History, now: Moment): void {
    const { addresses, areReady } = ledTo(history, this.#service);
    if (!areReady) this.barrenAt = Number.POSITIVE_INFINITY;
    else if (this.barrenAt === Number.POSITIVE_INFINITY) this.barrenAt = now.at;
    for (const [address, known] of this.all) if (!addresses.has(address)) known.gone ??= now;
    for (const address of addresses) {
      const known = this.all.get(address);
      if (!known || known.gone) this.all.set(address, { since: now });
    }
  }
}

/** Whatever else leads requests to a Service: when anything of it last changed in a namespace. */
const LEADING = new Set([
  "services",
  "namespaces",
  "ingresses.networking.k8s.io",
  "ingressclasses.networking.k8s.io",
  "gatewayclasses.gateway.networking.k8s.io",
  "gateways.gateway.networking.k8s.io",
  "httproutes.gateway.networking.k8s.io",
]);

export const leads = ({ resource }: Step): boolean => LEADING.has(resource);

/** Whether what leads to the Services of a namespace has changed after a revision. */
export const hasChanged = (history: History, namespace: string, revision: number): boolean =>
  [...LEADING].some((resource) => {
    const steps = history.steps(resource);
    return steps
      .slice(firstAfter(steps, revision))
      .some((step) => step.namespace === namespace || (!step.namespace && step.name === namespace));
  });
