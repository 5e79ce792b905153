import { type Labels, matcher } from "../../../worker/lib/selectors.ts";
import type {
  PolicyPeer,
  PolicyPeers,
  PolicyPort,
  PolicyRule,
  PolicyRules,
} from "../../../worker/protocol/policies.ts";
import { type Family, familyOf, inName } from "../family.ts";
import { Draft } from "../services/draft.ts";
import { isPort } from "../services/endpoints.ts";
import { EMPTY, type Ruleset } from "../services/ruleset.ts";
import type { Pod } from "../types.ts";
import { digest, EVERY_POD, isInBlock, PeerSets, peerMatch, setName } from "./peers.ts";
import { admitsPort, portMatches, protocolWord } from "./ports.ts";
import { EGRESS, INGRESS, ITSELF, OWN } from "./skeleton.ts";

/** A pod of this node; `pod` is absent of one that nobody knows any more. */
export type Guarded = { address: string; pod: Pod | undefined };

/** What the node itself answers under a service address. */
export type OwnService = { address: string; protocol: string; port: number; isPod: boolean };

export type PolicyInput = {
  /** By `namespace/name`. */
  rules: ReadonlyMap<string, PolicyRules>;
  /** By `node/set`. */
  peers: ReadonlyMap<string, PolicyPeers>;
  pods: readonly Guarded[];
  /** The addresses of all nodes' pods. */
  podCIDRs: readonly string[];
  own: readonly OwnService[];
  family: Family;
};

type Direction = "ingress" | "egress";
type Selecting = { key: string; rules: PolicyRules };
type Selected = Guarded & { policies: readonly Selecting[] | undefined };

const DIRECTIONS: readonly Direction[] = ["ingress", "egress"];
const MAPS: Record<Direction, string> = { ingress: INGRESS, egress: EGRESS };

/**
 * The state of the table that enforces policies: each isolated pod has a chain which asks those of the policies that
 * select it, of which one accepting is enough, and drops what is left. EMPTY where no pod is isolated.
 */
export function policyRuleset(input: PolicyInput, sets = new PeerSets(input.family)): Ruleset {
  const { rules, peers, own, family } = input;
  const pods = input.pods.filter(({ address }) => family.has(address));
  if (rules.size === 0) return EMPTY;
  sets.update(peers);
  const draft = new Draft();
  const used = new Set<string>();
  const selecting: Selected[] = pods.map((one) => ({ ...one, policies: one.pod && policiesOf(one.pod, rules) }));
  for (const { address, policies } of selecting)
    for (const direction of DIRECTIONS) {
      const isolating = policies?.filter(({ rules }) => rules[direction]);
      if (isolating?.length === 0) continue;
      const chain = `pod-${direction}/${inName(address)}`;
      const jumps = (isolating ?? []).map(({ key }) => `jump ${chainName(direction, key)}`);
      draft.chains.set(chain, [...jumps, "drop"]);
      draft.element(MAPS[direction], address, `goto ${chain}`);
      draft.element(ITSELF, `${address} . ${address}`);
      for (const { key } of isolating ?? []) used.add(`${direction} ${key}`);
    }
  if (draft.chains.size === 0) return EMPTY;
  for (const [key, policy] of rules)
    for (const direction of DIRECTIONS) {
      const ofDirection = policy[direction] ?? [];
      if (!used.has(`${direction} ${key}`)) continue;
      addPolicy(draft, direction, key, { rules: ofDirection, family });
      addSets(draft, ofDirection, { ...input, pods }, sets);
    }
  const answered = own.filter(({ address }) => family.has(address));
  addOwn({ draft, family }, answered, selecting, sets);
  return draft;
}

const matchers = new WeakMap<PolicyRules, (labels: Labels | undefined) => boolean>();

function policiesOf(pod: Pod, all: ReadonlyMap<string, PolicyRules>): Selecting[] {
  const { namespace, labels } = pod.metadata ?? {};
  return [...all].flatMap(([key, rules]) => {
    if (!key.startsWith(`${namespace}/`)) return [];
    const selects = matchers.get(rules) ?? matcher(rules.podSelector);
    matchers.set(rules, selects);
    return selects(labels) ? [{ key, rules }] : [];
  });
}

/** nft's names have limits that Kubernetes' are beyond. */
const MAX_READABLE = 100;
const READABLE = /^[a-z0-9.-]+\/[a-z0-9.-]+$/;
const chainName = (direction: Direction, key: string) =>
  `${direction}/${READABLE.test(key) && key.length <= MAX_READABLE ? key : digest(key)}`;

function addPolicy(
  draft: Draft,
  direction: Direction,
  key: string,
  { rules, family }: { rules: readonly PolicyRule[]; family: Family },
): void {
  const lines = rules.flatMap((rule) => linesOf(rule, direction, family));
  draft.chains.set(chainName(direction, key), [...new Set(lines)]);
}

function linesOf({ peers, ports }: PolicyRule, direction: Direction, family: Family): string[] {
  const end = direction === "ingress" ? "saddr" : "daddr";
  const whom = peers ? peers.flatMap((peer) => peerMatch(peer, end, family) ?? []) : [""];
  const named = (ports ?? []).flatMap((port) =>
    port.name === undefined ? [] : [`${family.word} daddr . meta l4proto . th dport @${namedSet(port)}`],
  );
  const where = ports ? [...portMatches(ports), ...named] : [""];
  return whom.flatMap((peer) => where.map((port) => `${peer}${port ? `${port} ` : ""}accept`));
}

const places = ({ type }: Family) => `type ${type} . inet_proto . inet_service;`;

/** All sets that the rules of a policy name. */
function addSets(
  draft: Draft,
  rules: readonly PolicyRule[],
  { pods, podCIDRs, family }: PolicyInput,
  sets: PeerSets,
): void {
  const { type } = family;
  const everyPod = podCIDRs.filter((cidr) => familyOf(cidr) === family);
  const add = (name: string, body: string, elements: () => Map<string, string>) => {
    if (draft.sets.has(name)) return;
    draft.sets.set(name, body);
    draft.elements.set(name, elements());
  };
  for (const peer of rules.flatMap(({ peers = [] }) => peers)) {
    if (peer.kind === "pods") add(setName(peer.set), `type ${type};`, () => sets.elements(peer.set));
    if (peer.kind === "places") add(setName(peer.set), places(family), () => sets.elements(peer.set));
    if (peer.kind === "everyPod") add(EVERY_POD, `type ${type}; flags interval;`, () => elementsOf(everyPod));
  }
  for (const port of rules.flatMap(({ ports = [] }) => ports))
    if (port.name !== undefined) add(namedSet(port), places(family), () => elementsOf(namedPlaces(pods, port)));
}

const elementsOf = (keys: Iterable<string>) => new Map([...keys].map((key) => [key, ""] as const));

const namedSet = ({ protocol, name = "" }: PolicyPort) => `ports-${digest(`${protocol} ${name}`)}`;

/** Where this node's pods have a port of the name. */
function namedPlaces(pods: readonly Guarded[], { protocol, name }: PolicyPort): string[] {
  const word = protocolWord(protocol);
  return pods.flatMap(({ address, pod }) => {
    const sidecars = (pod?.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
    const ports = [...(pod?.spec?.containers ?? []), ...sidecars].flatMap((container) => container.ports ?? []);
    return ports.flatMap(({ name: own, protocol: of = "TCP", containerPort }) =>
      word && own === name && of === protocol && isPort(containerPort) ? `${address} . ${word} . ${containerPort}` : [],
    );
  });
}

/** What the node answers itself comes to it at other ports than were asked for, so who may ask is decided here. */
function addOwn(
  { draft, family: { word: ip, type } }: { draft: Draft; family: Family },
  own: readonly OwnService[],
  pods: readonly Selected[],
  sets: PeerSets,
): void {
  const lines = own.map(({ address, protocol, port }, i) => {
    const asked = `ct original ${ip} daddr ${address} meta l4proto ${protocolWord(protocol)} ct original proto-dst ${port}`;
    return `${asked} ${ip} saddr @own-${i} accept`;
  });
  draft.chains.set(OWN, lines);
  own.forEach((service, i) => {
    const asking = pods.filter(({ policies }) =>
      policies?.some(({ rules }) => rules.egress?.some((rule) => leadsTo(rule, service, sets))),
    );
    draft.sets.set(`own-${i}`, `type ${type};`);
    draft.elements.set(`own-${i}`, elementsOf(asking.map(({ address }) => address)));
  });
}

function leadsTo({ peers, ports }: PolicyRule, service: OwnService, sets: PeerSets): boolean {
  const admits = admitsPort(ports, service.protocol, service.port);
  return peers ? peers.some((peer) => leadsToPeer(peer, admits, service, sets)) : admits;
}

function leadsToPeer(peer: PolicyPeer, admits: boolean, service: OwnService, sets: PeerSets): boolean {
  const { address, protocol, port, isPod } = service;
  switch (peer.kind) {
    case "block":
      return admits && isInBlock(peer, address);
    case "everyPod":
      return admits && isPod;
    case "pods":
      return admits && sets.has(peer.set, address);
    case "places":
      return sets.has(peer.set, `${address} ${protocol} ${port}`);
  }
}
