/** Who may see figures over time, and which of them nodes may tell. The Worker does the rest: `metrics/serve.ts`. */

import { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { Job } from "../../kinds/batch/job.ts";
import { Namespace } from "../../kinds/core/namespace.ts";
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { Kind } from "../../kinds/kind.ts";
import {
  ASKED,
  type AskedGroup,
  isAskedKey,
  NODE_SERIES,
  othersIn,
  SERIES_GRANT,
} from "../../lib/facts/metric-series.ts";
import { GRANT_HEADER } from "../../lib/internal-headers.ts";
import { controllerOf, type KubeObject } from "../../lib/object.ts";
import { badRequest, forbidden, notFound } from "../../lib/status.ts";
import type { Access } from "../auth/access.ts";
import { nodeOf } from "../auth/node-authorizer.ts";
import type { AppParts } from "../parts.ts";
import type { StoreView } from "../view.ts";
import type { PathContext, Paths } from "./paths.ts";
import { type RequestInfo, requestInfo } from "./request-info.ts";
import { mayAsk } from "./requests.ts";

const MINUTE_MS = 60_000;
/** How seldom nodes send: of many each less often, so that it costs what it costs. */
const EVERY_MS = { least: 10 * MINUTE_MS, most: 30 * MINUTE_MS, perNode: MINUTE_MS / 2 };
const SYSTEM = "kube-system";
/** Of the Namespace `kube-system`: `false` where no figures are to be kept. */
const KEEP_METRICS = "skerry.dev/keep-metrics";
const MIRROR = "kubernetes.io/config.mirror";
const GRANT = { [GRANT_HEADER]: "1" };

export function metricSeriesRoutes(app: Paths, access: Access, parts: AppParts): void {
  const { view } = parts.engine;
  const admit = async ({ env: { request } }: PathContext, info: RequestInfo) =>
    access.admit(request, await access.present(request), info);
  const told = async (c: PathContext, info: RequestInfo) => {
    await admit(c, info);
    parts.sendFigures?.();
    return new Response(null, { status: 204, headers: GRANT });
  };
  app.get("/skerry/metrics/nodes", (c) => told(c, usage("nodes")));
  app.get("/skerry/metrics/nodes/:name{[-.a-z0-9]+}", (c) => told(c, usage(`nodes/${c.req.param("name")}`)));
  app.get("/skerry/metrics/namespaces/:name{[-.a-z0-9]+}", (c) => {
    const namespace = c.req.param("name");
    const of = c.env.url.searchParams.get("requests");
    return told(c, of === null ? usage(`namespaces/${namespace}/pods`) : requests(namespace, of));
  });
  app.post(SERIES_GRANT, async (c) => {
    const user = await admit(c, c.env.info);
    const node = nodeOf(user);
    if (!node || !view.get(Node, "", node))
      throw forbidden({ group: "", resource: "nodes", name: node ?? user.name }, `${user.name} is no node`);
    if (view.get(Namespace, "", SYSTEM)?.metadata?.annotations?.[KEEP_METRICS] === "false")
      throw notFound({ group: "", resource: "metrics", name: SYSTEM });
    return Response.json(
      { node, everyMs: everyMs(view.list(Node).length), ...seriesOf(view, node) },
      { headers: GRANT },
    );
  });
}

const NO_QUERY = new URLSearchParams();
const usage = (path: string): RequestInfo =>
  requestInfo("GET", { pathname: `/apis/metrics.k8s.io/v1beta1/${path}`, searchParams: NO_QUERY });

/** `of` is `RESOURCE/NAME`. Throws the 400 for what has no requests. */
function requests(namespace: string, of: string): RequestInfo {
  if (!isAskedKey(`${namespace}/${of}`))
    throw badRequest(`requests must be one of ${Object.keys(ASKED).join(", ")}, with a name after a slash`);
  const [group, name = ""] = of.split("/");
  return mayAsk(group as AskedGroup, namespace, name);
}

const everyMs = (nodes: number) => Math.min(Math.max(EVERY_MS.least, nodes * EVERY_MS.perNode), EVERY_MS.most);

/** The series that a node may tell of, and by their uids, as the node knows them, the pods of each. */
export function seriesOf(view: StoreView, node: string): { series: string[]; pods: Record<string, string> } {
  const pods: Record<string, string> = {};
  const series = new Set([NODE_SERIES]);
  for (const pod of view.onNode(Pod as unknown as Kind, node)) {
    const { uid = "", name = "", namespace = "", annotations } = pod.metadata ?? {};
    const told = `${namespace}/${workloadOf(view, pod)}`;
    // An owner may be called anything, and by that of a Service's requests the node could tell nothing of its pod.
    const key = isAskedKey(told) ? `${namespace}/Pod/${name}` : told;
    pods[annotations?.[MIRROR] ?? uid] = key;
    series.add(key).add(othersIn(namespace));
  }
  return { series: [...series], pods };
}

/** Those that make others for each of their revisions or runs are told of under their own names. */
const MAKERS: Readonly<Record<string, Kind>> = {
  ReplicaSet: ReplicaSet as unknown as Kind,
  Job: Job as unknown as Kind,
};

/** As `KIND/NAME`: what a pod belongs to, or the pod itself. */
function workloadOf(view: StoreView, { metadata = {} }: KubeObject): string {
  const owner = controllerOf({ metadata });
  if (!owner || owner.kind === "Node") return `Pod/${metadata.name}`;
  const maker = MAKERS[owner.kind];
  const made = maker && view.get(maker, metadata.namespace ?? "", owner.name);
  const { kind, name } = (made && controllerOf(made)) ?? owner;
  return `${kind}/${name}`;
}
