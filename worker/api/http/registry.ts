/** The cluster's registry, as far as the Cluster object knows it: who may, and which images run. `registry/serve.ts` does it. */
import { ControllerRevision } from "../../kinds/apps/controller-revision.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { podImages } from "../../kinds/core/pod-references.ts";
import type { Kind } from "../../kinds/kind.ts";
import { read } from "../../kinds/paths.ts";
import { POD_TEMPLATES } from "../../kinds/pod-templates.ts";
import { TICKET_HEADER } from "../../lib/blob-tickets.ts";
import { GRANT_HEADER } from "../../lib/internal-headers.ts";
import type { AppParts } from "../parts.ts";
import type { StoreView } from "../view.ts";
import type { PathGuard, Paths } from "./paths.ts";

const GRANT = { [GRANT_HEADER]: "1" };
const DIGEST = /sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})/g;
const digestsIn = (text: string): readonly string[] => text.match(DIGEST) ?? [];

/** Of what a client asks for with a ticket. */
const BLOB = /\/blobs\/(sha256:[0-9a-f]{64})$/;

type RegistryRouteParts = { view: StoreView; ticketFor: AppParts["ticketFor"] };

export function registryRoutes(app: Paths, guard: PathGuard, { view, ticketFor }: RegistryRouteParts): void {
  app.on(["GET", "PUT", "DELETE"], ["/v2", "/v2/*"], guard, async ({ env: { request, info } }) => {
    const [, digest] = (request.headers.has(TICKET_HEADER) && BLOB.exec(info.path)) || [];
    const ticket = digest && request.method === "GET" ? await ticketFor?.(digest) : undefined;
    return new Response(null, { status: 204, headers: { ...GRANT, ...(ticket && { [TICKET_HEADER]: ticket }) } });
  });
  app.on(["GET", "PUT", "DELETE"], "/skerry/registry/quotas", guard, () => new Response(null, { headers: GRANT }));
  app.on(["GET", "PUT"], "/skerry/registry/clock", guard, () => new Response(null, { headers: GRANT }));
  app.post("/skerry/registry/collect", guard, () => Response.json({ used: usedDigests(view) }, { headers: GRANT }));
}

/**
 * Digests of images that pods, or those that workloads will make, name by them, and that containers were made of; of whatever
 * registry. What custom resources make pods of nobody here knows: any digest in them counts.
 */
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
  const used = new Set(names.flatMap(digestsIn));
  for (const kind of view.kinds()) for (const digest of digestsOf(view, kind)) used.add(digest);
  return [...used];
}

/** Revisions of workloads hold templates, too, in whatever form their controller has them. */
const isSearched = ({ openapi, groupResource }: Kind) =>
  openapi !== undefined || groupResource === ControllerRevision.groupResource;

function* digestsOf(view: StoreView, kind: Kind): Iterable<string> {
  const place = POD_TEMPLATES[kind.groupResource];
  if (place === undefined && !isSearched(kind)) return;
  for (const page of view.pages(kind))
    for (const object of page)
      yield* place === undefined
        ? digestsIn(JSON.stringify(object))
        : podImages(read(object, place) ?? {}).flatMap(digestsIn);
}
