/** Has visitors ask for an app, and does to the app what its script says meanwhile. */

import { GROUP } from "../../../worker/kinds/gateway/types.ts";
import type { CoreV1Pod } from "../../../worker/kinds/generated/types.ts";
import { CLASS_NAME } from "../../../worker/kinds/ingress/class.ts";
import type { Visitor } from "../contract.ts";
import type { World } from "../world/world.ts";
import type { Reply, Sent } from "./client.ts";
import { type Asker, EDGE, FRONT, type Front, type Turn } from "./fronts.ts";
import { type Fault, nth } from "./script.ts";

export type Server = {
  world: World;
  /** With some patience. */
  ask(sent: Sent): Promise<Reply | undefined>;
  sleep(ms: number): Promise<void>;
  background(work: Promise<unknown>): void;
  pods(namespace: string, selector: string): Promise<CoreV1Pod[]>;
  evict(pod: CoreV1Pod): Promise<unknown>;
  drain(node: number): Promise<void>;
  uncordon(node: number): Promise<void>;
  hurt(fault: Fault): void;
};

const MERGE = "application/merge-patch+json";
/** Until a definition is served, and until the app may be there, ms. */
const DEFINED_MS = 3_000;
const BEGUN_MS = 15_000;

/** `SERVICE.NAMESPACE.test`, of the app. */
export const hostOf = (namespace: string): string => `${FRONT}.${namespace}.test`;

export async function serve(server: Server, { namespace, by, app, service, askers, turns }: Front): Promise<void> {
  const { ask, sleep, background } = server;
  const home = (api: string, plural: string) => `${api}/namespaces/${namespace}/${plural}`;
  await ask({ method: "POST", path: home("/apis/apps/v1", "deployments"), body: app });
  await ask({ method: "POST", path: home("/api/v1", "services"), body: service });
  const budget = { metadata: { name: FRONT }, spec: { minAvailable: 1, selector: { matchLabels: { app: FRONT } } } };
  await ask({ method: "POST", path: home("/apis/policy/v1", "poddisruptionbudgets"), body: budget });
  if (by === "Ingress")
    await ask({ method: "POST", path: home("/apis/networking.k8s.io/v1", "ingresses"), body: ingress(namespace) });
  else await route(server, namespace);
  await sleep(BEGUN_MS);
  for (const asker of askers) background(askAgain(server, namespace, asker));
  for (const turn of turns) {
    await take(server, namespace, turn);
    await sleep(turn.rest);
  }
}

function ingress(namespace: string): object {
  const backend = { service: { name: FRONT, port: { number: 80 } } };
  const rules = [{ host: hostOf(namespace), http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }];
  return { metadata: { name: FRONT }, spec: { ingressClassName: CLASS_NAME, rules } };
}

const DEFINITIONS = [
  ["GatewayClass", "gatewayclasses", "Cluster"],
  ["Gateway", "gateways", "Namespaced"],
  ["HTTPRoute", "httproutes", "Namespaced"],
] as const;

async function route({ ask, sleep }: Server, namespace: string): Promise<void> {
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  for (const [kind, plural, scope] of DEFINITIONS)
    await ask({
      method: "POST",
      path: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      body: {
        metadata: {
          name: `${plural}.${GROUP}`,
          annotations: { "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/2997" },
        },
        spec: {
          group: GROUP,
          names: { kind, plural, singular: kind.toLowerCase() },
          scope,
          versions: [{ name: "v1", served: true, storage: true, subresources: { status: {} }, schema }],
        },
      },
    });
  await sleep(DEFINED_MS);
  const home = `/apis/${GROUP}/v1/namespaces/${namespace}`;
  const listeners = [{ name: "web", port: 80, protocol: "HTTP" }];
  const of = (kind: string) => ({ apiVersion: `${GROUP}/v1`, kind, metadata: { name: FRONT } });
  await ask({
    method: "POST",
    path: `${home}/gateways`,
    body: { ...of("Gateway"), spec: { gatewayClassName: CLASS_NAME, listeners } },
  });
  const rules = [{ backendRefs: [{ name: FRONT, port: 80 }] }];
  await ask({
    method: "POST",
    path: `${home}/httproutes`,
    body: { ...of("HTTPRoute"), spec: { parentRefs: [{ name: FRONT }], hostnames: [hostOf(namespace)], rules } },
  });
}

/** Also while the answers before are waited for. */
async function askAgain(server: Server, namespace: string, asker: Asker): Promise<void> {
  const { method, hasBody, answerMs, everyMs, count, node } = asker;
  const visitor: Visitor = { host: hostOf(namespace), method, ...(hasBody && { hasBody }), answerMs };
  for (let i = 0; i < count; i++) {
    server.background(visit(server.world, node, visitor));
    await server.sleep(everyMs);
  }
}

/** At the node, or at the edge. */
export const visit = ({ nodes, edge }: World, node: number, visitor: Visitor): Promise<void> =>
  node === EDGE ? edge.visit(visitor) : (nth(nodes, node)?.visit(visitor) ?? Promise.resolve());

async function take(server: Server, namespace: string, turn: Turn): Promise<void> {
  const { ask, pods, evict, drain, uncordon, hurt } = server;
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${FRONT}`;
  const patch = (spec: object) => ask({ method: "PATCH", path, body: { spec }, contentType: MERGE });
  const one = async (n: number) => nth(await pods(namespace, `app=${FRONT}`), n);
  switch (turn.turn) {
    case "roll": {
      const annotations = { rolled: String(server.world.nextId()) };
      return void (await patch({ template: { metadata: { annotations } } }));
    }
    case "scale":
      return void (await patch({ replicas: turn.replicas }));
    case "evict": {
      const pod = await one(turn.nth);
      return void (pod && (await evict(pod)));
    }
    case "kill": {
      const pod = await one(turn.nth);
      const body = turn.grace === undefined ? {} : { gracePeriodSeconds: turn.grace };
      const found = `/api/v1/namespaces/${namespace}/pods/${pod?.metadata?.name}`;
      return void (pod && (await ask({ method: "DELETE", path: found, body })));
    }
    case "drain":
      return drain(turn.node);
    case "uncordon":
      return uncordon(turn.node);
    case "hurt":
      return hurt(turn.fault);
  }
}
