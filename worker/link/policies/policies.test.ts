import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../lib/object.ts";
import type { NodeChange } from "../../protocol/link.ts";
import { POLICY_PEERS, POLICY_RULES, type PolicyRules } from "../../protocol/policies.ts";
import type { Write } from "../downlink.ts";
import type { PodFacts } from "./facts.ts";
import { Policies } from "./policies.ts";
import type { Reads } from "./world.ts";

const POLICIES = "networkpolicies.networking.k8s.io";

type Spec = { labels?: Record<string, string>; node?: string; ip?: string; phase?: string; more?: object };

const pod = (namespace: string, name: string, { labels = {}, node, ip, phase, more }: Spec): KubeObject =>
  ({
    metadata: { namespace, name, labels },
    spec: { ...(node && { nodeName: node }), containers: [], ...more },
    status: { ...(ip && { podIP: ip }), ...(phase && { phase }) },
  }) as KubeObject;

const space = (name: string, labels: Record<string, string> = {}): KubeObject => ({
  metadata: { name, labels: { "kubernetes.io/metadata.name": name, ...labels } },
});

const policy = (namespace: string, name: string, spec: object): KubeObject =>
  ({ metadata: { namespace, name }, spec: { podSelector: {}, policyTypes: ["Ingress"], ...spec } }) as KubeObject;

/** A cluster that counts what is read of it, and nodes that hold what they were told. */
class Cluster {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly reads: string[] = [];
  readonly policies: Policies;

  constructor(builtins: readonly PodFacts[] = []) {
    this.policies = new Policies(this.objects, builtins);
  }

  of(resource: string): Map<string, KubeObject> {
    const found = this.#objects.get(resource) ?? new Map<string, KubeObject>();
    this.#objects.set(resource, found);
    return found;
  }

  readonly objects: Reads = {
    list: (resource) => {
      this.reads.push(resource);
      return [...this.of(resource).values()];
    },
    podsOnNode: (node) =>
      [...this.of("pods").values()].filter((p) => (p as { spec?: { nodeName?: string } }).spec?.nodeName === node),
    podsIn: (namespace) => {
      this.reads.push(`pods of ${namespace}`);
      return [[...this.of("pods").values()].filter((p) => p.metadata?.namespace === namespace)];
    },
  };

  /** Makes the objects so, and hands out the writes. */
  write(...changes: [resource: string, key: string, object: KubeObject | undefined][]): Write[] {
    return changes.map(([resource, key, object]) => {
      const old = this.of(resource).get(key);
      if (object) this.of(resource).set(key, object);
      else this.of(resource).delete(key);
      const at = key.indexOf("/");
      return { resource, namespace: key.slice(0, at), name: key.slice(at + 1), object, old };
    });
  }

  put(...objects: [resource: string, object: KubeObject][]): Write[] {
    return this.write(
      ...objects.map(
        ([resource, object]) =>
          [resource, `${object.metadata?.namespace ?? ""}/${object.metadata?.name}`, object] as [
            string,
            string,
            KubeObject,
          ],
      ),
    );
  }
}

const words = (changes: readonly NodeChange[]): string[] =>
  changes
    .map(({ resource, namespace, name, object }) => {
      const said = object && (resource === POLICY_PEERS ? (object as { members: string[] }).members.join() : "rules");
      return `${namespace}/${name}: ${said ?? "gone"}`;
    })
    .sort();

/** What a node holds, which lets go of sets that no rules speak of, as agents do. */
class Node {
  readonly held = new Map<string, NodeChange>();

  take(changes: readonly NodeChange[]): void {
    for (const change of changes) {
      const key = `${change.resource} ${change.namespace}/${change.name}`;
      if (change.object) this.held.set(key, change);
      else this.held.delete(key);
    }
    const rules = [...this.held.values()].filter(({ resource }) => resource === POLICY_RULES);
    const text = JSON.stringify(rules.map(({ object }) => object as unknown as PolicyRules));
    for (const [key, { resource, name }] of this.held)
      if (resource === POLICY_PEERS && !text.includes(JSON.stringify(name))) this.held.delete(key);
  }

  get words(): string[] {
    return words([...this.held.values()]);
  }
}

const from = (...peers: object[]) => ({ ingress: [{ from: peers }] });
const web = { labels: { app: "web" } };
const client = { labels: { app: "client" } };

describe("a node is told", () => {
  test("nothing, and nothing is read of pods, while there is no policy", () => {
    const cluster = new Cluster();
    const changes = cluster.policies.changed(
      cluster.put(["pods", pod("a", "p", { ...web, node: "n1", ip: "10.0.0.2" })]),
    );
    expect([...changes.nodes]).toEqual([]);
    expect(cluster.policies.snapshotFor("n1")).toEqual([]);
    expect(cluster.reads).toEqual([POLICIES]);
  });

  test("the rules of a policy that selects one of its pods, and who is in its sets, by their nodes", () => {
    const cluster = new Cluster();
    cluster.put(
      ["namespaces", space("a")],
      ["pods", pod("a", "w", { ...web, node: "n1", ip: "10.0.0.2" })],
      ["pods", pod("a", "c1", { ...client, node: "n1", ip: "10.0.0.3" })],
      ["pods", pod("a", "c2", { ...client, node: "n2", ip: "10.0.1.2" })],
      ["pods", pod("b", "c3", { ...client, node: "n2", ip: "10.0.1.3" })],
    );
    const allow = policy("a", "p", {
      podSelector: { matchLabels: { app: "web" } },
      ...from({ podSelector: { matchLabels: { app: "client" } } }),
    });
    const changes = cluster.policies.changed(cluster.put([POLICIES, allow]));
    expect([...changes.nodes]).toEqual(["n1"]);
    const expected = ["a/p: rules", "n1/a {app=client}: 10.0.0.3", "n2/a {app=client}: 10.0.1.2"];
    expect(words(changes.for("n1"))).toEqual(expected);
    expect(words(cluster.policies.snapshotFor("n1"))).toEqual(expected);
    expect(cluster.policies.snapshotFor("n2")).toEqual([]);
  });

  test("of a pod that comes or goes, what its node has of the set then, and nothing else", () => {
    const cluster = new Cluster();
    const allow = policy("a", "p", {
      podSelector: { matchLabels: { app: "web" } },
      ...from({ podSelector: { matchLabels: { app: "client" } } }),
    });
    cluster.put(
      [POLICIES, allow],
      ["pods", pod("a", "w", { ...web, node: "n1", ip: "10.0.0.2" })],
      ["pods", pod("a", "c1", { ...client, node: "n2", ip: "10.0.1.2" })],
    );
    const unscheduled = cluster.policies.changed(cluster.put(["pods", pod("a", "c2", client)]));
    expect([...unscheduled.nodes]).toEqual([]);
    const bound = cluster.policies.changed(cluster.put(["pods", pod("a", "c2", { ...client, node: "n2" })]));
    expect(words(bound.for("n1"))).toEqual([]);
    const c2 = { ...client, node: "n2", ip: "10.0.1.3" };
    const up = cluster.policies.changed(cluster.put(["pods", pod("a", "c2", c2)]));
    expect(up.nodes).toContain("n1");
    expect(words(up.for("n1"))).toEqual(["n2/a {app=client}: 10.0.1.2,10.0.1.3"]);
    expect(words(up.for("n2"))).toEqual([]);
    const ready = cluster.policies.changed(cluster.put(["pods", pod("a", "c2", { ...c2, phase: "Running" })]));
    expect([...ready.nodes]).toEqual([]);
    const ended = cluster.policies.changed(cluster.put(["pods", pod("a", "c2", { ...c2, phase: "Succeeded" })]));
    expect(words(ended.for("n1"))).toEqual(["n2/a {app=client}: 10.0.1.2"]);
    const gone = cluster.policies.changed(cluster.write(["pods", "a/c1", undefined], ["pods", "a/c2", undefined]));
    expect(words(gone.for("n1"))).toEqual(["n2/a {app=client}: gone"]);
  });

  test("what a new pod of its needs with the pod, and of its rules' end with the last one", () => {
    const cluster = new Cluster();
    cluster.put([POLICIES, policy("a", "p", from({ podSelector: {} }))]);
    const first = cluster.policies.changed(cluster.put(["pods", pod("a", "w", { ...web, node: "n1" })]));
    expect(words(first.for("n1"))).toEqual(["a/p: rules"]);
    const second = cluster.policies.changed(
      cluster.put(["pods", pod("a", "x", { ...web, node: "n1", ip: "10.0.0.2" })]),
    );
    expect(words(second.for("n1"))).toEqual(["n1/a {}: 10.0.0.2"]);
    cluster.policies.changed(cluster.write(["pods", "a/w", undefined]));
    const last = cluster.policies.changed(cluster.write(["pods", "a/x", undefined]));
    expect(words(last.for("n1"))).toEqual(["a/p: gone"]);
  });

  test("of two pods that come in one turn as of one after the other", () => {
    const cluster = new Cluster();
    cluster.put([POLICIES, policy("a", "p", from({ podSelector: {} }))]);
    const changes = cluster.policies.changed(
      cluster.put(
        ["pods", pod("a", "w", { ...web, node: "n1", ip: "10.0.0.2" })],
        ["pods", pod("a", "x", { ...web, node: "n1", ip: "10.0.0.3" })],
      ),
    );
    expect(words(changes.for("n1"))).toEqual(["a/p: rules", "n1/a {}: 10.0.0.2,10.0.0.3"]);
  });

  test("of namespaces whose labels bring them into a set, or take them out", () => {
    const cluster = new Cluster();
    cluster.put(
      ["namespaces", space("a")],
      ["namespaces", space("b")],
      [POLICIES, policy("a", "p", from({ namespaceSelector: { matchLabels: { team: "x" } } }))],
      ["pods", pod("a", "w", { ...web, node: "n1", ip: "10.0.0.2" })],
      ["pods", pod("b", "c", { ...client, node: "n2", ip: "10.0.1.2" })],
    );
    const into = cluster.policies.changed(cluster.put(["namespaces", space("b", { team: "x" })]));
    expect(words(into.for("n1"))).toEqual(["n2/{team=x} {}: 10.0.1.2"]);
    const out = cluster.policies.changed([
      ...cluster.put(["namespaces", space("b")]),
      ...cluster.write(["pods", "b/c", undefined]),
    ]);
    expect(words(out.for("n1"))).toEqual(["n2/{team=x} {}: gone"]);
  });

  test("of a pod whose labels change that it is selected, or is not any more", () => {
    const cluster = new Cluster();
    const selector = { podSelector: { matchLabels: { app: "web" } } };
    cluster.put([POLICIES, policy("a", "p", selector)], ["pods", pod("a", "w", { ...client, node: "n1" })]);
    const selected = cluster.policies.changed(cluster.put(["pods", pod("a", "w", { ...web, node: "n1" })]));
    expect(words(selected.for("n1"))).toEqual(["a/p: rules"]);
    const free = cluster.policies.changed(cluster.put(["pods", pod("a", "w", { ...client, node: "n1" })]));
    expect(words(free.for("n1"))).toEqual(["a/p: gone"]);
  });

  test("where pods have a port of the name that they are gone to by", () => {
    const cluster = new Cluster();
    const ports = (port: number) => ({ more: { containers: [{ ports: [{ name: "http", containerPort: port }] }] } });
    cluster.put(
      ["namespaces", space("a")],
      ["namespaces", space("b")],
      [POLICIES, policy("a", "p", { policyTypes: ["Egress"], egress: [{ ports: [{ port: "http" }] }] })],
      ["pods", pod("a", "c", { ...client, node: "n1", ip: "10.0.0.2" })],
      ["pods", pod("b", "w1", { ...web, node: "n2", ip: "10.0.1.2", ...ports(8080) })],
      ["pods", pod("b", "w2", { ...web, node: "n2", ip: "10.0.1.3", ...ports(9090) })],
    );
    expect(words(cluster.policies.snapshotFor("n1"))).toEqual([
      "a/p: rules",
      "n2/{} {} TCP http: 10.0.1.2 TCP 8080,10.0.1.3 TCP 9090",
    ]);
  });

  test("nothing of pods that have their node's network", () => {
    const cluster = new Cluster();
    cluster.put(
      [POLICIES, policy("a", "p", from({ podSelector: {} }))],
      ["pods", pod("a", "w", { node: "n1", ip: "10.0.0.2" })],
      ["pods", pod("a", "h", { node: "n2", ip: "192.0.2.2", more: { hostNetwork: true } })],
    );
    expect(words(cluster.policies.snapshotFor("n1"))).toEqual(["a/p: rules", "n1/a {}: 10.0.0.2"]);
  });

  test("of what every node does in the place of pods as of pods", () => {
    const dns = { namespace: "kube-system", name: "kube-dns", labels: { "k8s-app": "kube-dns" }, node: "" };
    const cluster = new Cluster([
      { ...dns, addresses: ["10.96.0.10"], ports: [{ name: "dns", protocol: "UDP", port: 53 }] },
    ]);
    const peer = {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
      podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
    };
    cluster.put(
      ["namespaces", space("a")],
      ["namespaces", space("kube-system")],
      [POLICIES, policy("a", "p", { policyTypes: ["Egress"], egress: [{ to: [peer] }] })],
      ["pods", pod("a", "c", { ...client, node: "n1", ip: "10.0.0.2" })],
    );
    expect(words(cluster.policies.snapshotFor("n1"))).toContain(
      "/{kubernetes.io/metadata.name=kube-system} {k8s-app=kube-dns}: 10.96.0.10",
    );
  });
});

/** A sequence that is the same for the same seed. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const SPACES = ["a", "b", "c"];
const NODES = ["n1", "n2", "n3"];
const APPS = ["web", "client", "db"];

/** One random write that a cluster could make. */
function anyWrite(cluster: Cluster, next: (below: number) => number): Write[] {
  const one = <T>(of: readonly T[]) => of[next(of.length)] as T;
  const namespace = one(SPACES);
  const name = `x${next(4)}`;
  const selector = () => (next(3) === 0 ? {} : { matchLabels: { app: one(APPS) } });
  const peer = () =>
    [{ podSelector: selector() }, { namespaceSelector: { matchLabels: { team: one(APPS) } }, podSelector: selector() }][
      next(2)
    ] as object;
  switch (next(8)) {
    case 0:
      return cluster.put(["namespaces", space(namespace, { team: one(APPS) })]);
    case 1: {
      const keys = next(4) ? [`${namespace}/${name}`] : [...cluster.of(POLICIES).keys()];
      return cluster.write(...keys.map((key): [string, string, undefined] => [POLICIES, key, undefined]));
    }
    case 2: {
      const egress = { policyTypes: ["Egress"], egress: [{ to: [peer()], ports: [{ port: one(["http", 80]) }] }] };
      const spec = { podSelector: selector(), ...(next(2) ? from(peer(), peer()) : egress) };
      return cluster.put([POLICIES, policy(namespace, name, spec)]);
    }
    case 3:
      return cluster.write(["pods", `${namespace}/${name}`, undefined]);
    default: {
      const ports = [{ name: "http", containerPort: 80 + next(2) }];
      const ip = next(4) ? `10.0.${next(3)}.${next(9)}` : undefined;
      const spec = {
        labels: { app: one(APPS) },
        ip,
        node: one([...NODES, undefined]),
        more: { containers: [{ ports }] },
      };
      return cluster.put(["pods", pod(namespace, name, spec as Spec)]);
    }
  }
}

test.each(Array.from({ length: 60 }, (_, seed) => seed))(
  "nodes that hear of changes, or of what they missed, have what a new one would (seed %i)",
  (seed) => {
    const next = sequence(seed);
    const cluster = new Cluster();
    cluster.put(...SPACES.map((name) => ["namespaces", space(name)] as [string, KubeObject]));
    const nodes = new Map(NODES.map((name) => [name, { node: new Node(), missed: [] as Write[], away: false }]));
    for (let turn = 0; turn < 80; turn++) {
      const writes = Array.from({ length: 1 + next(3) }, () => anyWrite(cluster, next)).flat();
      if (next(10) === 0) cluster.policies.forget();
      const changes = cluster.policies.changed(writes);
      for (const [name, state] of nodes) {
        if (!state.away && changes.nodes.has(name)) state.node.take(changes.for(name));
        if (state.away) state.missed.push(...writes);
        if (state.away && next(4) === 0) {
          state.node.take(cluster.policies.missed(name, ownOf(name, state.missed), () => elsewhere(state.missed)));
          Object.assign(state, { away: false, missed: [] });
        } else if (!state.away && next(8) === 0) state.away = true;
        const fresh = new Node();
        fresh.take(cluster.policies.snapshotFor(name));
        if (!state.away) expect(state.node.words).toEqual(fresh.words);
      }
    }
  },
);

const nodesOf = ({ object, old }: Write) =>
  [object, old].flatMap((o) => (o as { spec?: { nodeName?: string } } | undefined)?.spec?.nodeName ?? []);

const ownOf = (node: string, writes: readonly Write[]) =>
  writes.filter((write) => write.resource !== "pods" || nodesOf(write).includes(node));

const elsewhere = (writes: readonly Write[]) =>
  writes
    .filter(({ resource }) => resource === "pods")
    .flatMap((write) => nodesOf(write).map((node) => ({ namespace: write.namespace, node })));
