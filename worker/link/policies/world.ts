/**
 * The cluster as NetworkPolicies see it: policies, namespaces' labels and a few facts of each pod of the namespaces that
 * were asked about. Read when first needed, kept in step with writes from then on.
 */
import { NetworkPolicy } from "../../kinds/networking/network-policy.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Labels } from "../../lib/selectors.ts";
import type { Objects, Write } from "../downlink.ts";
import { type CompiledPolicy, compile, type PeerSet } from "./compile.ts";
import { factsOf, type PodFacts } from "./facts.ts";

export const POLICIES = NetworkPolicy.groupResource;

/** Pods that are remembered at once, some 200 bytes each. */
const MAX_PODS = 200_000;

/** What is read of the cluster. */
export type Reads = Pick<Objects, "list" | "podsOnNode" | "podsIn">;

type ByName<T> = Map<string, T>;

/** Before and after; absent where it was not there. */
export type Difference<T> = { before?: T | undefined; after?: T | undefined };

/** What some writes together made of each object that they are about, by `namespace/name`. */
export type Differences = {
  pods: ByName<Difference<PodFacts>>;
  policies: ByName<Difference<CompiledPolicy>>;
  namespaces: ByName<Difference<Labels>>;
};

const labelsOf = (object: KubeObject): Labels => object.metadata?.labels ?? {};

export function differencesOf(writes: Iterable<Write>): Differences {
  const found: Differences = { pods: new Map(), policies: new Map(), namespaces: new Map() };
  const note = <T>(into: ByName<Difference<T>>, { namespace, name, object, old }: Write, of: (o: KubeObject) => T) => {
    const key = `${namespace}/${name}`;
    const before = into.has(key) ? into.get(key)?.before : old && of(old);
    into.set(key, { before, after: object && of(object) });
  };
  for (const write of writes) {
    if (write.resource === "pods") note(found.pods, write, factsOf);
    else if (write.resource === POLICIES) note(found.policies, write, compilePolicy);
    else if (write.resource === "namespaces") note(found.namespaces, write, labelsOf);
  }
  return found;
}

const compiled = new WeakMap<KubeObject, CompiledPolicy>();

function compilePolicy(object: KubeObject): CompiledPolicy {
  const known = compiled.get(object) ?? compile(object as NetworkPolicy);
  compiled.set(object, known);
  return known;
}

export class World {
  readonly #objects: Reads;
  /** Pods that are no objects: what each node does itself in their place. */
  readonly #builtins: readonly PodFacts[];
  #policies: ByName<ByName<CompiledPolicy>> | undefined;
  #namespaces: ByName<Labels> | undefined;
  readonly #pods: ByName<ByName<PodFacts>> = new Map();
  #podCount = 0;

  constructor(objects: Reads, builtins: readonly PodFacts[]) {
    this.#objects = objects;
    this.#builtins = builtins;
  }

  forget(): void {
    this.#policies = undefined;
    this.rest();
  }

  /** Nothing is learnt but of policies: there are none that ask for the rest. */
  rest(): void {
    this.#namespaces = undefined;
    this.#forgetPods();
  }

  #forgetPods(): void {
    this.#pods.clear();
    this.#podCount = 0;
  }

  /** What is remembered becomes what the writes made of it. */
  learn({ pods, policies, namespaces }: Differences): void {
    for (const [key, { after }] of policies) if (this.#policies) put(this.#policies, key, after);
    for (const [key, { after }] of namespaces) {
      const name = key.slice(1);
      if (after) this.#namespaces?.set(name, after);
      else this.#namespaces?.delete(name);
    }
    for (const [key, { after }] of pods) {
      const namespace = key.slice(0, key.indexOf("/"));
      if (!this.#pods.has(namespace)) continue;
      this.#podCount += put(this.#pods, key, after);
    }
    if (this.#podCount > MAX_PODS) this.#forgetPods();
  }

  /** By namespace, then by name. */
  policies(): ReadonlyMap<string, ReadonlyMap<string, CompiledPolicy>> {
    if (!this.#policies) {
      this.#policies = new Map();
      for (const object of this.#objects.list(POLICIES))
        put(this.#policies, `${object.metadata?.namespace}/${object.metadata?.name}`, compilePolicy(object));
    }
    return this.#policies;
  }

  namespaces(): ReadonlyMap<string, Labels> {
    this.#namespaces ??= new Map(
      this.#objects.list("namespaces").map((object) => [object.metadata?.name ?? "", labelsOf(object)]),
    );
    return this.#namespaces;
  }

  /** All pods of a namespace, those among them that are no objects too. */
  *podsIn(namespace: string): Iterable<PodFacts> {
    yield* this.#builtins.filter((pod) => pod.namespace === namespace);
    let pods = this.#pods.get(namespace);
    if (!pods) {
      pods = new Map();
      for (const page of this.#objects.podsIn(namespace))
        for (const object of page) pods.set(object.metadata?.name ?? "", factsOf(object));
      this.#pods.set(namespace, pods);
      this.#podCount += pods.size;
    }
    yield* pods.values();
  }

  podsOnNode(node: string): PodFacts[] {
    return [...this.#objects.podsOnNode(node).map(factsOf), ...this.#builtins.filter((pod) => pod.node === node)];
  }

  covers(set: PeerSet, namespace: string): boolean {
    if (set.namespace !== undefined) return set.namespace === namespace;
    const labels = this.namespaces().get(namespace);
    return labels !== undefined && set.coversLabels(labels);
  }

  /** The namespaces whose pods may be in a set. */
  covered(set: PeerSet): string[] {
    if (set.namespace !== undefined) return [set.namespace];
    return [...this.namespaces()].filter(([, labels]) => set.coversLabels(labels)).map(([name]) => name);
  }
}

/** By how many there are more now. A namespace without any is not kept apart from one that was never there. */
function put<T>(into: ByName<ByName<T>>, key: string, value: T | undefined): number {
  const at = key.indexOf("/");
  const [namespace, name] = [key.slice(0, at), key.slice(at + 1)];
  const items = into.get(namespace) ?? new Map<string, T>();
  const before = items.size;
  if (value === undefined) items.delete(name);
  else items.set(name, value);
  into.set(namespace, items);
  return items.size - before;
}
