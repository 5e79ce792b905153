/**
 * How a write can be found again in the commits: every body that a client sends carries an annotation of its own. Each
 * attempt needs a new value, a repeated one too, or a refusal could not be told from the attempt before it.
 */
const PREFIX = "write.sim.skerry.dev/";

/** Evictions ask for this grace, and no delete does: so a pod tells that it was evicted. */
export const EVICTION_GRACE_SECONDS = 11;

/** Label of pods that are not meant to ever be ready (an image that is nowhere, a command that fails). */
export const HOPELESS = "sim.skerry.dev/hopeless";

/** Finalizers with this prefix are the workload's own: it takes them off itself, or never. */
export const FINALIZER_PREFIX = "sim.skerry.dev/";

/** A client's name, with characters that an annotation's key may have; and a number that it uses once. */
export type Marker = { client: string; write: string };

type Body = { metadata?: { annotations?: Record<string, string> } };
type Operation = { op: string; path: string; value?: unknown };

/**
 * A copy of a body with the marker: of an object, a merge patch, a strategic merge patch or an apply configuration in
 * its annotations; of a JSON patch as one operation more, which needs the object to have annotations already.
 */
export function marked<T>(body: T, { client, write }: Marker): T {
  const key = PREFIX + client;
  if (Array.isArray(body)) {
    const operation = { op: "add", path: `/metadata/annotations/${key.replace("/", "~1")}`, value: write };
    return [...body, operation] as T;
  }
  const { metadata, ...rest } = body as Body;
  return { ...rest, metadata: { ...metadata, annotations: { ...metadata?.annotations, [key]: write } } } as T;
}

/** The marker of a body that `marked` made. An object that was read before has others' too: `client` says whose counts. */
export function markerOf(body: unknown, client: string): Marker | undefined {
  const key = PREFIX + client;
  if (Array.isArray(body)) {
    const path = `/metadata/annotations/${key.replace("/", "~1")}`;
    const operation = (body as Operation[]).findLast((candidate) => candidate.path === path);
    return typeof operation?.value === "string" ? { client, write: operation.value } : undefined;
  }
  const write = (body as Body | undefined)?.metadata?.annotations?.[key];
  return write === undefined ? undefined : { client, write };
}

/** All markers of an object, one a client that has written it. */
export function markersOf(object: Body): Marker[] {
  return Object.entries(object.metadata?.annotations ?? {}).flatMap(([key, write]) =>
    key.startsWith(PREFIX) ? [{ client: key.slice(PREFIX.length), write }] : [],
  );
}

export const markerKey = ({ client, write }: Marker): string => `${client}/${write}`;
