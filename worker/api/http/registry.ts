/** The cluster's registry, as far as the Cluster object knows it: who may, and which images run. `registry/serve.ts` does it. */
import { Pod } from "../../kinds/core/pod.ts";
import { podImages } from "../../kinds/core/pod-references.ts";
import { read } from "../../kinds/paths.ts";
import { POD_TEMPLATES } from "../../kinds/pod-templates.ts";
import { GRANT_HEADER } from "../../lib/internal-headers.ts";
import type { StoreView } from "../view.ts";
import type { PathGuard, Paths } from "./paths.ts";

const GRANT = { [GRANT_HEADER]: "1" };
const DIGEST = /sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})/;

export function registryRoutes(app: Paths, guard: PathGuard, view: StoreView): void {
  app.on(["GET", "PUT", "DELETE"], ["/v2", "/v2/*"], guard, () => new Response(null, { status: 204, headers: GRANT }));
  app.on(["GET", "PUT", "DELETE"], "/skerry/registry/quotas", guard, () => new Response(null, { headers: GRANT }));
  app.post("/skerry/registry/collect", guard, () => Response.json({ used: usedDigests(view) }, { headers: GRANT }));
}

/** Of images that pods, or those that workloads will make, name by their digests, and that containers were made of; of whatever registry. */
export function usedDigests(view: StoreView): string[] {
  const names = view
    .list(Pod)
    .flatMap((pod) => [
      ...podImages(pod),
      ...[
        ...(pod.status?.initContainerStatuses ?? []),
        ...(pod.status?.containerStatuses ?? []),
        ...(pod.status?.ephemeralContainerStatuses ?? []),
      ].map(({ imageID }) => imageID),
    ]);
  return [...new Set([...names, ...templateImages(view)].flatMap((name) => DIGEST.exec(name)?.[0] ?? []))];
}

function* templateImages(view: StoreView): Iterable<string> {
  for (const kind of view.kinds()) {
    const place = POD_TEMPLATES[kind.groupResource];
    if (place === undefined) continue;
    for (const page of view.pages(kind)) for (const object of page) yield* podImages(read(object, place) ?? {});
  }
}
