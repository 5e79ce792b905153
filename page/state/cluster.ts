/** The collections that the page looks at, each watched once however many parts of the page show it. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Client } from "../api/client.ts";
import { discover, partOf } from "../api/discovery.ts";
import type { KubeObject } from "../api/objects.ts";
import { type Freshness, Watched } from "../api/watched.ts";
import { sleep, visible } from "../effects.ts";
import { namespace, session } from "./session.ts";

export const NODES = "/api/v1/nodes";
export const CLUSTER_BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";

const NAMESPACED = {
  pods: "/api/v1/pods",
  claims: "/api/v1/persistentvolumeclaims",
  deployments: "/apis/apps/v1/deployments",
  statefulSets: "/apis/apps/v1/statefulsets",
  daemonSets: "/apis/apps/v1/daemonsets",
  replicaSets: "/apis/apps/v1/replicasets",
  accounts: "/api/v1/serviceaccounts",
  roleBindings: "/apis/rbac.authorization.k8s.io/v1/rolebindings",
  services: "/api/v1/services",
  slices: "/apis/discovery.k8s.io/v1/endpointslices",
  ingresses: "/apis/networking.k8s.io/v1/ingresses",
  httpRoutes: "/apis/gateway.networking.k8s.io/v1/httproutes",
} as const;

export type Paths = Record<keyof typeof NAMESPACED, string>;

const within = (path: string, of: string) =>
  of === "" ? path : path.replace(/[^/]+$/, (plural) => `namespaces/${partOf(of)}/${plural}`);

/** The collections of the namespace that is chosen; those that `of` is in, where a link led there from elsewhere. */
export function usePaths(of?: string): Paths {
  const chosen = namespace.value;
  const where = of !== undefined && chosen !== "" ? of : chosen;
  return useMemo(
    () => Object.fromEntries(Object.entries(NAMESPACED).map(([name, path]) => [name, within(path, where)])) as Paths,
    [where],
  );
}

/** Whether users have brought the kinds of the Gateway API; asked once by each who shows them. */
export function useHasHttpRoutes(): boolean {
  const client = useClient();
  const [has, setHas] = useState(false);
  useEffect(() => {
    discover(client).then(
      (resources) => setHas(resources.some(({ group, plural }) => group === GATEWAYS && plural === "httproutes")),
      () => {},
    );
  }, [client]);
  return has;
}

const GATEWAYS = "gateway.networking.k8s.io";

const known = new WeakMap<Client, Map<string, Watched<KubeObject>>>();

function watchedOf<T extends KubeObject>(client: Client, path: string, query: string): Watched<T> {
  const all = known.get(client) ?? new Map<string, Watched<KubeObject>>();
  known.set(client, all);
  const key = `${path}?${query}`;
  const made = all.get(key) ?? new Watched<KubeObject>(path, query, { client, visible, sleep });
  all.set(key, made);
  return made as unknown as Watched<T>;
}

/** The client of who is logged in: only what is shown to them asks for it. */
export function useClient(): Client {
  const { value } = session;
  if (!value) throw new Error("nobody is logged in");
  return value.client;
}

/** Held while the component is there. */
export function useWatched<T extends KubeObject>(path: string, query = ""): Watched<T> {
  const client = useClient();
  const watched = useMemo(() => watchedOf<T>(client, path, query), [client, path, query]);
  useEffect(() => watched.hold(), [watched]);
  return watched;
}

/** All of a collection, by namespace and name. */
export function useObjects<T extends KubeObject>(path: string, query = ""): readonly T[] {
  const { objects } = useWatched<T>(path, query);
  return useMemo(() => [...objects.value.values()].toSorted(byName), [objects.value]);
}

const byName = ({ metadata: a }: KubeObject, { metadata: b }: KubeObject) =>
  (a.namespace ?? "").localeCompare(b.namespace ?? "") || a.name.localeCompare(b.name);

/** Whether all of these collections that may be seen were listed, and how fresh the oldest of them is. */
export function useFreshness(paths: readonly string[]): { listed: boolean; freshness: Freshness } {
  const watched = paths.map((path) => useWatched(path));
  return {
    listed: watched.every(({ listed, freshness }) => listed.value || freshness.value.state === "forbidden"),
    freshness: worst(watched.map(({ freshness }) => freshness.value)),
  };
}

/** The worst of them: what is shown is as old as its oldest part. */
function worst(states: readonly Freshness[]): Freshness {
  const refused = states.flatMap((each) => (each.state === "forbidden" ? each.why : []));
  return (
    states.find(({ state }) => state === "behind") ??
    (refused.length > 0 ? { state: "forbidden", why: refused.join("\n") } : undefined) ??
    states.find(({ state }) => state === "loading") ??
    states[0] ?? { state: "live" }
  );
}
