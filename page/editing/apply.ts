/**
 * An edited object is sent as what was changed of it, by server-side apply: what others meanwhile changed elsewhere stays,
 * and what others own is changed only by who says so.
 */
import { type Client, StatusError } from "../api/client.ts";
import type { KubeObject } from "../api/objects.ts";
import { at, type Change, changed, changesOf, isSame, shown } from "./changes.ts";
import { applied, isOursAlone, MANAGER, type ManagedFields, others } from "./ownership.ts";
import type { KindSchema } from "./schema.ts";
import { editable } from "./yaml.ts";

type Fields = Record<string, unknown>;
type Live = KubeObject & { metadata: { managedFields?: readonly ManagedFields[] } };

/** A field that is not the page's alone; `why` in words that follow it, and what it has been changed to, where it was. */
export type Conflict = { field: string; why: string; is?: unknown };

/** `before` as it was shown, `after` as it was edited. */
export type Edit = { path: string; before: Fields; after: Fields; kind: KindSchema | undefined };

export type Outcome = {
  conflicts: readonly Conflict[] /** As it is, or would be with all conflicts taken over. */;
  object: KubeObject;
};

type Ask = { dryRun: boolean /** What is taken over from others: as it was shown. */; accepted: readonly Conflict[] };
type Api = Pick<Client, "json">;

/** So often an object may be changed by others between being read and being written. */
const MOST_TRIES = 5;

/** Where there are conflicts other than the accepted, all are told and nothing is written. Throws what the API refuses. */
export async function apply(client: Api, edit: Edit, { dryRun, accepted }: Ask): Promise<Outcome> {
  for (let tries = 1; ; tries++) {
    try {
      const sending = prepare(edit, await client.json<Live>(edit.path));
      const found = [...sending.conflicts, ...(await refusals(client, edit.path, sending))];
      const isAccepted = found.every((conflict) => accepted.some((each) => isSame(each, conflict)));
      const conflicts = isAccepted ? [] : found;
      const object = await send(client, edit.path, sending, dryRun || conflicts.length > 0);
      return { conflicts, object };
    } catch (error) {
      const isLate = error instanceof StatusError && error.code === 409 && error.causes.length === 0;
      if (!isLate || tries === MOST_TRIES) throw error;
    }
  }
}

/** The edited object without what was changed of the fields that others own, in which it is as the cluster has it now. */
export async function leaveTheirs(client: Api, edit: Edit, conflicts: readonly Conflict[]): Promise<Edit> {
  const before = editable(await client.json<Live>(edit.path));
  const theirs = conflicts.map(({ field }) => field);
  const isTheirs = ({ path }: Change) =>
    theirs.some((field) => isWithin(shown(path), field) || isWithin(field, shown(path)));
  const own = changesOf(edit.before, edit.after, edit.kind).filter((change) => !isTheirs(change));
  return { ...edit, before, after: changed(before, own) };
}

const isWithin = (field: string, of: string) =>
  field === of || (field.startsWith(of) && /^[.[]/.test(field.slice(of.length)));

type Sending = {
  conflicts: readonly Conflict[];
  /** The whole object, as it would be. */
  merged: Fields;
  /** What the page stands for: what it applied before, and what is changed now. */
  own: Fields;
  /** Whether something goes that is not the page's alone, which an apply leaves. */
  removesOthers: boolean;
};

function prepare({ before, after, kind }: Edit, live: Live): Sending {
  const managed = live.metadata.managedFields ?? [];
  const changes = changesOf(before, after, kind);
  const now = editable(live);
  const merged = changed(now, changes);
  const kept = applied(managed).flatMap((path) => {
    const to = at(merged, path);
    return to === undefined ? [] : [{ path, to }];
  });
  const removed = changes.filter(({ path, to }) => to === undefined && at(now, path) !== undefined);
  const { resourceVersion } = live.metadata;
  const identity = { apiVersion: after.apiVersion, kind: after.kind, metadata: identityOf(after.metadata) };
  const versioned = (object: Fields): Fields => ({
    ...object,
    metadata: { ...(object.metadata as Fields), resourceVersion },
  });
  return {
    conflicts: [
      ...changes.filter(isLate(before, now)).map(({ path }) => {
        const is = at(now, path);
        return { field: shown(path), why: "was changed meanwhile", ...(is !== undefined && { is }) };
      }),
      ...removed.flatMap(({ path }) =>
        others(managed, path).map((who) => ({ field: shown(path), why: `is kept by ${who}, and you removed it` })),
      ),
    ],
    merged: versioned(merged),
    own: versioned(changed(identity, [...kept, ...changes.filter(({ to }) => to !== undefined)])),
    removesOthers: removed.some(({ path }) => !isOursAlone(managed, path)),
  };
}

const identityOf = (metadata: unknown) => {
  const { name, namespace } = (metadata ?? {}) as { name?: unknown; namespace?: unknown };
  return { name, ...(namespace !== undefined && { namespace }) };
};

const isLate =
  (before: Fields, now: Fields) =>
  ({ path, to }: Change): boolean => {
    const is = at(now, path);
    return !isSame(is, at(before, path)) && !isSame(is, to);
  };

const APPLY = { method: "PATCH", contentType: "application/apply-patch+yaml" };

/** The fields that others own and this would change, as the API tells them. */
async function refusals(client: Api, path: string, { own }: Sending): Promise<readonly Conflict[]> {
  try {
    await client.json(`${path}?fieldManager=${MANAGER}&dryRun=All`, { ...APPLY, body: own });
    return [];
  } catch (error) {
    const causes = error instanceof StatusError && error.code === 409 ? error.causes : [];
    if (causes.length === 0) throw error;
    return causes.flatMap(({ field = "", message = "" }) => {
      const who = /^conflict with "((?:[^"\\]|\\.)*)"/.exec(message)?.[1] ?? message;
      return who === MANAGER ? [] : [{ field: field.replace(/^\./, ""), why: `is set by ${who}` }];
    });
  }
}

/** Whose fields these are is settled, and the version says that they still are. */
function send(
  client: Api,
  path: string,
  { merged, own, removesOthers }: Sending,
  dryRun: boolean,
): Promise<KubeObject> {
  const query = `fieldManager=${MANAGER}${dryRun ? "&dryRun=All" : ""}`;
  return removesOthers
    ? client.json(`${path}?${query}`, { method: "PUT", body: merged })
    : client.json(`${path}?${query}&force=true`, { ...APPLY, body: own });
}
