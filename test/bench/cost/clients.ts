/** Clients that cost something: watches as kubectl, dashboards and operators hold them. */
import { request } from "node:https";
import type { Endpoint } from "../../../agent/local/http.ts";

export type Watch = { lines: string[]; close(): void };

/** A watch of a collection's path from now on; resolves when it has begun. */
export function openWatch({ url, ca, token }: Required<Endpoint>, path: string): Promise<Watch> {
  const separator = path.includes("?") ? "&" : "?";
  return new Promise((resolve, reject) => {
    const call = request(`${url}${path}${separator}watch=1&allowWatchBookmarks=true`, {
      ca,
      headers: { authorization: `Bearer ${token}`, accept: "application/json" },
    });
    const watch: Watch = { lines: [], close: () => call.destroy() };
    let rest = "";
    call.on("response", (response) => {
      if (response.statusCode !== 200) reject(new Error(`watch of ${path}: ${response.statusCode}`));
      response.on("error", () => {}); // ended by `close`
      response.on("data", (chunk: Buffer) => {
        const lines = (rest + chunk.toString()).split("\n");
        rest = lines.pop() ?? "";
        watch.lines.push(...lines);
      });
      resolve(watch);
    });
    call.on("error", reject);
    call.end();
  });
}

const NAMESPACED = [
  "/api/v1/pods",
  "/api/v1/events",
  "/api/v1/services",
  "/api/v1/configmaps",
  "/api/v1/secrets",
  "/api/v1/serviceaccounts",
  "/api/v1/endpoints",
  "/api/v1/persistentvolumeclaims",
  "/apis/apps/v1/deployments",
  "/apis/apps/v1/replicasets",
  "/apis/apps/v1/statefulsets",
  "/apis/apps/v1/daemonsets",
  "/apis/batch/v1/jobs",
  "/apis/batch/v1/cronjobs",
  "/apis/networking.k8s.io/v1/ingresses",
  "/apis/networking.k8s.io/v1/networkpolicies",
  "/apis/discovery.k8s.io/v1/endpointslices",
];

/** The collections that a dashboard of a whole cluster follows. */
export const DASHBOARD = [...NAMESPACED, "/api/v1/nodes", "/api/v1/namespaces", "/api/v1/persistentvolumes"];
