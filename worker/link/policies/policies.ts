/**
 * What nodes are told of NetworkPolicies. A node has the rules of those that select one of its pods, and the members of
 * the sets that these speak of, by the node that they are on: so a pod that comes or goes changes little, and what is
 * told is always the whole of something, whatever was told before.
 *
 * Of what it no longer needs a node is told the rules; it lets go of sets that no rules speak of by itself.
 */
import type { NodeChange, ObjectJson } from "../../protocol/link.ts";
import { POLICY_PEERS, POLICY_RULES, type PolicyPeers } from "../../protocol/policies.ts";
import type { Write } from "../downlink.ts";
import type { CompiledPolicy, PeerSet } from "./compile.ts";
import { membersOf, type PodFacts, sameFacts } from "./facts.ts";
import { type Difference, type Differences, differencesOf, POLICIES, type Reads, World } from "./world.ts";

/** What some writes changed for nodes. */
export type PolicyChanges = { nodes: ReadonlySet<string>; for(node: string): NodeChange[] };

/** Where pods of other nodes may have changed. */
export type Places = Iterable<{ namespace: string; node: string }>;

type Needs = { policies: Map<string, CompiledPolicy>; sets: Map<string, PeerSet> };

const NOTHING: PolicyChanges = { nodes: new Set(), for: () => [] };
const RELEVANT = new Set(["pods", "namespaces", POLICIES]);

export class Policies {
  readonly #world: World;

  constructor(objects: Reads, builtins: readonly PodFacts[] = []) {
    this.#world = new World(objects, builtins);
  }

  /** Writes were made of which this was not told. */
  forget(): void {
    this.#world.forget();
  }

  /** All that a node should have. */
  snapshotFor(node: string): NodeChange[] {
    if (!hasAny(this.#world.policies())) return [];
    const round = new Round(this.#world, differencesOf([]));
    const { policies, sets } = round.needs(node);
    return [...[...policies].map(rulesChange), ...[...sets.values()].flatMap((set) => round.whole(set))];
  }

  /** To be told of every write. */
  changed(writes: readonly Write[]): PolicyChanges {
    const relevant = writes.filter(({ resource }) => RELEVANT.has(resource));
    if (relevant.length === 0) return NOTHING;
    const policies = this.#world.policies();
    if (!hasAny(policies) && !relevant.some(({ resource }) => resource === POLICIES)) {
      this.#world.rest();
      return NOTHING;
    }
    const differences = differencesOf(relevant);
    this.#world.learn(differences);
    const round = new Round(this.#world, differences);
    return round.isNothing ? NOTHING : { nodes: round.concerned(), for: (node) => round.changesFor(node) };
  }

  /** What a node missed. `writes` are all of policies and namespaces and of its own pods; `elsewhere` tells of other nodes'. */
  missed(node: string, writes: readonly Write[], elsewhere: () => Places): NodeChange[] {
    if (!hasAny(this.#world.policies()) && !writes.some(({ resource }) => resource === POLICIES)) return [];
    const round = new Round(this.#world, differencesOf(writes));
    if (round.needs(node).sets.size > 0) for (const place of elsewhere()) round.touch(place);
    return round.changesFor(node);
  }
}

const hasAny = (policies: ReadonlyMap<string, ReadonlyMap<string, CompiledPolicy>>): boolean =>
  policies.values().some((inside) => inside.size > 0);

/** One look at what some writes made of the world. */
class Round {
  readonly #world: World;
  readonly #differences: Differences;
  /** By namespace: nodes whose pods in it changed in ways that were not looked at. */
  readonly #places = new Map<string, Set<string>>();
  /** By set: the nodes on which its members changed. */
  readonly #touched = new Map<string, Set<string>>();
  readonly #parts = new Map<string, NodeChange>();
  readonly #wholes = new Map<string, NodeChange[]>();

  constructor(world: World, differences: Differences) {
    this.#world = world;
    this.#differences = differences;
    for (const [key, { before, after }] of differences.pods) if (sameFacts(before, after)) differences.pods.delete(key);
  }

  get isNothing(): boolean {
    const { pods, policies, namespaces } = this.#differences;
    return pods.size + policies.size + namespaces.size === 0;
  }

  touch({ namespace, node }: { namespace: string; node: string }): void {
    this.#places.set(namespace, (this.#places.get(namespace) ?? new Set()).add(node));
  }

  /** The nodes that may have to hear of something. */
  concerned(): ReadonlySet<string> {
    const nodes = new Set<string>();
    const { pods, policies } = this.#differences;
    for (const { before, after } of pods.values())
      if (this.#hasPolicies((before ?? after)?.namespace ?? ""))
        for (const pod of [before, after]) if (pod?.node) nodes.add(pod.node);
    for (const [key, { before, after }] of policies)
      for (const policy of [before, after]) if (policy) this.#addSelected(nodes, namespaceOf(key), policy);
    for (const [namespace, inside] of this.#world.policies())
      for (const policy of inside.values())
        if (policy.sets.values().some((set) => this.#touchedNodes(set).size > 0))
          this.#addSelected(nodes, namespace, policy);
    return nodes;
  }

  #hasPolicies(namespace: string): boolean {
    return (
      (this.#world.policies().get(namespace)?.size ?? 0) > 0 ||
      this.#differences.policies.keys().some((key) => namespaceOf(key) === namespace)
    );
  }

  /** The nodes of the pods that a policy selects; those that no pod is on any more are found by its write. */
  #addSelected(nodes: Set<string>, namespace: string, policy: CompiledPolicy): void {
    for (const pod of this.#world.podsIn(namespace))
      if (pod.node && !nodes.has(pod.node) && policy.selects(pod.labels)) nodes.add(pod.node);
  }

  changesFor(node: string): NodeChange[] {
    const after = this.needs(node);
    const before = this.#needsTheSame(node) ? after : this.needs(node, "before");
    const changes: NodeChange[] = [];
    for (const key of before.policies.keys()) if (!after.policies.has(key)) changes.push(rulesChange([key, undefined]));
    for (const [key, policy] of after.policies)
      if (!sameRules(before.policies.get(key), policy)) changes.push(rulesChange([key, policy]));
    for (const [id, set] of after.sets)
      if (!before.sets.has(id)) changes.push(...this.whole(set));
      else for (const place of this.#touchedNodes(set)) changes.push(this.part(set, place));
    return changes;
  }

  #needsTheSame(node: string): boolean {
    const { pods, policies } = this.#differences;
    return policies.size === 0 && !pods.values().some((pod) => pod.before?.node === node || pod.after?.node === node);
  }

  needs(node: string, when: "before" | "after" = "after"): Needs {
    const needs: Needs = { policies: new Map(), sets: new Map() };
    const pods = this.#world.podsOnNode(node);
    const there = when === "after" ? pods : overlay(pods, this.#differences.pods).filter((pod) => pod.node === node);
    for (const [namespace, own] of Map.groupBy(there, (pod) => pod.namespace))
      for (const [name, policy] of this.#policiesIn(namespace, when)) {
        if (!own.some((pod) => policy.selects(pod.labels))) continue;
        needs.policies.set(`${namespace}/${name}`, policy);
        for (const [id, set] of policy.sets) needs.sets.set(id, set);
      }
    return needs;
  }

  *#policiesIn(namespace: string, when: "before" | "after"): Iterable<[name: string, policy: CompiledPolicy]> {
    const changed = when === "before" ? this.#differences.policies : new Map<string, Difference<CompiledPolicy>>();
    for (const [name, policy] of this.#world.policies().get(namespace) ?? [])
      if (!changed.has(`${namespace}/${name}`)) yield [name, policy];
    for (const [key, { before }] of changed)
      if (before && namespaceOf(key) === namespace) yield [key.slice(namespace.length + 1), before];
  }

  /** Nodes on which a set has other members now, or may have. */
  #touchedNodes(set: PeerSet): ReadonlySet<string> {
    const known = this.#touched.get(set.id);
    if (known) return known;
    const nodes = new Set<string>();
    this.#touched.set(set.id, nodes);
    for (const { before, after } of this.#differences.pods.values()) {
      if (!this.#covers(set, (before ?? after)?.namespace ?? "")) continue;
      const [old, now] = [before, after].map((pod) => (pod ? membersOf(set, pod).join() : ""));
      if (old !== now || (now && before?.node !== after?.node))
        for (const pod of [before, after]) if (pod?.node) nodes.add(pod.node);
    }
    for (const [namespace, places] of this.#places)
      if (this.#covers(set, namespace)) for (const node of places) nodes.add(node);
    for (const [key, { before, after }] of this.#differences.namespaces) {
      if (set.namespace !== undefined) continue;
      if ((before && set.coversLabels(before)) === (after && set.coversLabels(after))) continue;
      for (const pod of this.#world.podsIn(key.slice(1))) nodes.add(pod.node);
    }
    return nodes;
  }

  /** Whether pods of a namespace may be in a set, or could before. */
  #covers(set: PeerSet, namespace: string): boolean {
    const before = this.#differences.namespaces.get(`/${namespace}`)?.before;
    return this.#world.covers(set, namespace) || (before !== undefined && set.coversLabels(before));
  }

  /** The members of a set, by node. */
  whole(set: PeerSet): NodeChange[] {
    const known = this.#wholes.get(set.id);
    if (known) return known;
    const nodes = new Map<string, string[]>();
    for (const namespace of this.#world.covered(set))
      for (const pod of this.#world.podsIn(namespace))
        for (const member of membersOf(set, pod)) {
          const members = nodes.get(pod.node) ?? [];
          members.push(member);
          nodes.set(pod.node, members);
        }
    const changes = [...nodes].map(([node, members]) => peersChange(set, node, members));
    this.#wholes.set(set.id, changes);
    return changes;
  }

  /** Those of them on one node. */
  part(set: PeerSet, node: string): NodeChange {
    const key = `${node}/${set.id}`;
    const known = this.#parts.get(key);
    if (known) return known;
    const pods = this.#world.podsOnNode(node).filter(({ namespace }) => this.#world.covers(set, namespace));
    const members = pods.flatMap((pod) => membersOf(set, pod));
    const change = peersChange(set, node, members);
    this.#parts.set(key, change);
    return change;
  }
}

const namespaceOf = (key: string) => key.slice(0, key.indexOf("/"));

/** The pods as they were before. */
function overlay(pods: readonly PodFacts[], differences: Differences["pods"]): PodFacts[] {
  const rest = pods.filter(({ namespace, name }) => !differences.has(`${namespace}/${name}`));
  return [...rest, ...differences.values().flatMap(({ before }) => (before ? [before] : []))];
}

const sameRules = (a: CompiledPolicy | undefined, b: CompiledPolicy): boolean =>
  a === b || (a !== undefined && JSON.stringify(a.rules) === JSON.stringify(b.rules));

const rulesChanges = new WeakMap<CompiledPolicy, NodeChange>();

/** The same for every node, so that it is written out once. */
function rulesChange([key, policy]: [key: string, policy: CompiledPolicy | undefined]): NodeChange {
  const known = policy && rulesChanges.get(policy);
  if (known) return known;
  const [namespace, name] = [namespaceOf(key), key.slice(key.indexOf("/") + 1)];
  const object = policy ? (policy.rules as unknown as ObjectJson) : null;
  const change = { resource: POLICY_RULES, namespace, name, object };
  if (policy) rulesChanges.set(policy, change);
  return change;
}

function peersChange({ id }: PeerSet, node: string, members: readonly string[]): NodeChange {
  const peers: PolicyPeers = { members: [...new Set(members)].sort() };
  return { resource: POLICY_PEERS, namespace: node, name: id, object: members.length > 0 ? peers : null };
}
