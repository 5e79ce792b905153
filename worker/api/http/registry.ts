/** The cluster's registry, as far as the Cluster object knows it: who may, and which images run. `registry/serve.ts` does it. */
import { Pod } from "../../kinds/core/pod.ts";
import { GRANT_HEADER } from "../../lib/internal-headers.ts";
import type { StoreView } from "../view.ts";
import type { PathGuard, Paths } from "./paths.ts";

const GRANT = { [GRANT_HEADER]: "1" };
const DIGEST = /sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})/;

export function registryRoutes(app: Paths, guard: PathGuard, view: StoreView): void {
  app.on(["GET", "PUT", "DELETE"], ["/v2", "/v2/*"], guard, () => new Response(null, { status: 204, headers: GRANT }));
  app.post("/skerry/registry/collect", guard, () => Response.json({ used: usedDigests(view) }, { headers: GRANT }));
}

/** Of images that pods name by their digests, or that their containers were made of; of whatever registry. */
export function usedDigests(view: StoreView): string[] {
  const names = view
    .list(Pod)
    .flatMap(({ spec, status }) => [
      ...[...(spec.initContainers ?? []), ...spec.containers].map(({ image = "" }) => image),
      ...[
        ...(status?.initContainerStatuses ?? []),
        ...(status?.containerStatuses ?? []),
        ...(status?.ephemeralContainerStatuses ?? []),
      ].map(({ imageID }) => imageID),
    ]);
  return [...new Set(names.flatMap((name) => DIGEST.exec(name)?.[0] ?? []))];
}
