/**
 * What a NetworkPolicy means, without its selectors: whom these select is a matter of sets, which change by themselves.
 * https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
import type { NetworkPolicy } from "../../kinds/networking/network-policy.ts";
import { formatSelector, type LabelSelector, type Labels, matcher } from "../../lib/selectors.ts";
import type { PolicyPeer, PolicyPort, PolicyRule, PolicyRules } from "../../protocol/policies.ts";

type Spec = NonNullable<NetworkPolicy["spec"]>;
type Rule = NonNullable<Spec["ingress"]>[number] & NonNullable<Spec["egress"]>[number];
type Peer = NonNullable<Rule["from"]>[number];
type NamedPort = Required<Pick<PolicyPort, "protocol" | "name">>;

/** Pods that rules speak of. Equal ones have the same id, whichever policies they are of. */
export type PeerSet = {
  id: string;
  /** Pods of this namespace alone; else of those that `coversLabels` says. */
  namespace?: string;
  coversLabels(labels: Labels | undefined): boolean;
  selects(labels: Labels | undefined): boolean;
  /** Not the pods themselves are in it, but where they have a port of this name. */
  port?: NamedPort;
};

export type CompiledPolicy = {
  rules: PolicyRules;
  sets: ReadonlyMap<string, PeerSet>;
  /** Whether a pod of the policy's namespace is selected. */
  selects(labels: Labels | undefined): boolean;
};

const EVERYTHING: LabelSelector = {};

const isEmpty = (selector: LabelSelector | undefined) =>
  Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0;

export function compile({ metadata, spec }: NetworkPolicy): CompiledPolicy {
  const namespace = metadata?.namespace ?? "";
  const sets = new Map<string, PeerSet>();
  const types = spec?.policyTypes ?? ["Ingress", ...(spec?.egress ? ["Egress"] : [])];
  const podSelector = (spec?.podSelector ?? EVERYTHING) as LabelSelector;
  const rules: PolicyRules = { podSelector };
  const compiler = new Compiler(namespace, sets);
  if (types.includes("Ingress")) rules.ingress = (spec?.ingress ?? []).map((rule) => compiler.ingress(rule));
  if (types.includes("Egress")) rules.egress = (spec?.egress ?? []).flatMap((rule) => compiler.egress(rule));
  return { rules, sets, selects: matcher(podSelector) };
}

class Compiler {
  readonly #namespace: string;
  readonly #sets: Map<string, PeerSet>;

  constructor(namespace: string, sets: Map<string, PeerSet>) {
    this.#namespace = namespace;
    this.#sets = sets;
  }

  /** Named ports are those of the pods that are entered: their node knows them. */
  ingress({ ports, from }: Rule): PolicyRule {
    return { ...portsOf(ports), ...(from?.length ? { peers: from.map((peer) => this.#peer(peer)) } : {}) };
  }

  /** Named ports are those of the pods that are gone to, each with its own number. */
  egress({ ports, to }: Rule): PolicyRule[] {
    const { ports: all } = portsOf(ports);
    const numbered = all?.filter(({ name }) => name === undefined);
    const named = (all ?? []).filter((port): port is NamedPort => port.name !== undefined);
    const pods: readonly Peer[] = to?.length ? to.filter(({ ipBlock }) => !ipBlock) : [{ namespaceSelector: {} }];
    const places = named.flatMap((port) =>
      pods.map((peer): PolicyPeer => ({ kind: "places", set: this.#set(peer, port) })),
    );
    const rules: PolicyRule[] = [];
    if (!numbered || numbered.length > 0)
      rules.push({
        ...(numbered && { ports: numbered }),
        ...(to?.length ? { peers: to.map((peer) => this.#peer(peer)) } : {}),
      });
    return places.length > 0 ? [...rules, { peers: places }] : rules;
  }

  #peer(peer: Peer): PolicyPeer {
    const { ipBlock, namespaceSelector, podSelector } = peer;
    if (ipBlock) return { kind: "block", cidr: ipBlock.cidr, except: ipBlock.except ?? [] };
    if (namespaceSelector && isEmpty(namespaceSelector as LabelSelector) && isEmpty(podSelector as LabelSelector))
      return { kind: "everyPod" };
    return { kind: "pods", set: this.#set(peer) };
  }

  #set({ namespaceSelector, podSelector }: Peer, port?: NamedPort): string {
    const pods = (podSelector ?? EVERYTHING) as LabelSelector;
    const namespaces = namespaceSelector as LabelSelector | undefined;
    const where = namespaces ? `{${formatSelector(namespaces)}}` : this.#namespace;
    const id = `${where} {${formatSelector(pods)}}${port ? ` ${port.protocol} ${port.name}` : ""}`;
    this.#sets.set(id, {
      id,
      ...(namespaces ? {} : { namespace: this.#namespace }),
      coversLabels: namespaces ? matcher(namespaces) : () => false,
      selects: matcher(pods),
      ...(port && { port }),
    });
    return id;
  }
}

/** Empty where every port will do. */
function portsOf(ports: Rule["ports"]): { ports?: PolicyPort[] } {
  if (!ports?.length) return {};
  return {
    ports: ports.map(({ protocol = "TCP", port, endPort }): PolicyPort => {
      if (port === undefined || port === null) return { protocol };
      if (typeof port === "string") return { protocol, name: port };
      return { protocol, from: port, to: endPort ?? port };
    }),
  };
}
