/**
 * `GET /skerry/requests`, or `…/namespaces/NAMESPACE`: a `RequestsNow`. Each part of it is for whoever may get that resource's
 * `requests_per_second` of custom.metrics.k8s.io, the Services' for all who ask. Nodes are asked at that moment.
 */
import { Pod } from "../../kinds/core/pod.ts";
import { isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import { CUSTOM_METRICS_GROUP } from "../../kinds/metrics/custom.ts";
import { ASKED, type AskedGroup } from "../../lib/facts/metric-series.ts";
import { REQUESTS_PATH, type RequestsNow, type RequestsOf } from "../../lib/facts/requests.ts";
import type { Traffic } from "../../protocol/link.ts";
import { together } from "../../protocol/traffic.ts";
import type { Access } from "../auth/access.ts";
import type { AppParts } from "../parts.ts";
import type { StoreView } from "../view.ts";
import type { PathContext, Paths } from "./paths.ts";
import { requestInfo } from "./request-info.ts";

const NO_QUERY = new URLSearchParams();

/** The question that who may see a resource's requests may ask; `name` is `*` for all. */
export function mayAsk(group: AskedGroup | "pods", namespace: string, name: string) {
  const resource = group === "pods" ? group : ASKED[group];
  const where = namespace ? `namespaces/${namespace}/` : "";
  const pathname = `/apis/${CUSTOM_METRICS_GROUP}/v1beta2/${where}${resource}/${name}/requests_per_second`;
  return requestInfo("GET", { pathname, searchParams: NO_QUERY });
}

export function requestsRoutes(app: Paths, access: Access, { engine, security, traffic }: AppParts): void {
  const told = async ({ env: { request } }: PathContext, namespace: string) => {
    const user = access.admit(request, await access.present(request), mayAsk("services", namespace, "*"));
    const may = (group: AskedGroup | "pods") => security.authorizer(user, mayAsk(group, namespace, "*")).allowed;
    const seen = await traffic?.seen();
    const { silent = [] } = seen ?? {};
    const of = (group: AskedGroup) => within(seen?.traffic[group] ?? {}, namespace);
    const now: RequestsNow = {
      services: of("services"),
      ...(may("ingresses") && { ingresses: of("ingresses") }),
      ...(may("httproutes") && { httproutes: of("httproutes") }),
      ...(namespace && may("pods") && { pods: podsOf(engine.view, namespace, seen?.traffic.pods ?? {}) }),
      silent: silent.length,
      ...(namespace === "" && { silentNodes: silent }),
    };
    return Response.json(now);
  };
  app.get(REQUESTS_PATH, (c) => told(c, ""));
  app.get(`${REQUESTS_PATH}/namespaces/:name{[-.a-z0-9]+}`, (c) => told(c, c.req.param("name")));
}

const figuresOf = ({ idleMs: _, ...figures }: Traffic): RequestsOf => figures;

function within(all: Readonly<Record<string, Traffic>>, namespace: string): Record<string, RequestsOf> {
  const meant = Object.entries(all).filter(([key]) => namespace === "" || key.startsWith(`${namespace}/`));
  return Object.fromEntries(meant.map(([key, traffic]) => [key, figuresOf(traffic)]));
}

/** Nodes know pods by their addresses, of which those that are not the pod's alone, or not any more, tell of others. */
function podsOf(view: StoreView, namespace: string, byAddress: Readonly<Record<string, Traffic>>) {
  const found: Record<string, RequestsOf> = {};
  for (const { metadata, spec, status } of view.list(Pod, namespace)) {
    if (spec.hostNetwork || isPodTerminal({ status })) continue;
    const seen = (status?.podIPs ?? []).flatMap(({ ip }) => byAddress[ip] ?? []);
    if (seen.length > 0) found[`${namespace}/${metadata.name}`] = figuresOf(seen.reduce(together));
  }
  return found;
}
