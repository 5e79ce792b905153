/**
 * Back to a moment of the last weeks, by the platform's own recovery of an object's storage:
 * https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#pitr-point-in-time-recovery-api
 *
 * What is brought back knows nothing of what came after it, not even how far revisions had come. So that is asked for
 * before, is with the one who asked, and is told to the cluster as the first thing after its storage has changed.
 */
import { timestamp } from "../../lib/effects.ts";
import { errorText } from "../../lib/error-text.ts";
import { ApiError, badRequest } from "../../lib/status.ts";
import type { Store, StoredObject } from "../../storage/store.ts";
import { refsOf } from "../engine/refs.ts";
import { withRevision } from "../engine/stored.ts";

/** How the platform goes back. Where it cannot, its functions throw. */
export type Past = {
  /** Names the storage's state at a time, ms. */
  bookmarkAt(at: number): Promise<string>;
  /** When the object starts again its storage is as it was then. Returns the name of its state now. */
  restoreNext(bookmark: string): Promise<string>;
  /** Ends the object: whoever waits for it hears that it is gone. */
  restart(): void;
};

export type Moment = { at: string; bookmark: string; revision: number };

/** What the cluster may write between the question and the restore, in revisions. */
const ROOM = 1_000_000;
const MAX_AGE_MS = 30 * 86_400_000;
/** Setting that says which controllers have seen everything. */
const SEEN = "controllers.known";

const cannot = (why: string) =>
  new ApiError(
    501,
    "NotImplemented",
    `the storage of this deployment cannot go back to a moment (${why}): that takes Cloudflare, elsewhere restore a backup`,
  );

/** `revision`: what is to be told to the cluster when it is back. */
export async function momentAt(past: Past | undefined, store: Store, at: number, now: number): Promise<Moment> {
  if (Number.isNaN(at)) throw badRequest("at must be a time as RFC 3339 has it, as 2026-01-02T03:04:05Z");
  if (at >= now) throw badRequest(`${timestamp(at)} is yet to come`);
  if (at < now - MAX_AGE_MS) throw badRequest(`${timestamp(at)} is longer ago than the 30 days that are kept`);
  if (!past) throw cannot("it keeps no past");
  try {
    return { at: timestamp(at), bookmark: await past.bookmarkAt(at), revision: store.revision() + ROOM };
  } catch (error) {
    throw cannot(errorText(error));
  }
}

/** Does not return where it succeeds: the object ends. */
export async function goBack(past: Past | undefined, store: Store, bookmark: string, revision: number): Promise<void> {
  if (!past) throw cannot("it keeps no past");
  if (!(revision > store.revision()))
    throw new ApiError(409, "Conflict", "the cluster has written too much since it was asked: ask again");
  try {
    await past.restoreNext(bookmark);
  } catch (error) {
    throw cannot(errorText(error));
  }
  past.restart();
}

/**
 * Revisions go on from `revision`, and nothing before it is known any more. `since`: where this memory found them; what
 * was written from there on, before this came, bears revisions that others had before. False where it was told already.
 */
export function cameBack(store: Store, since: number, revision: number): boolean {
  if (!Number.isSafeInteger(revision)) throw badRequest("revision must be a number");
  if (store.revision() >= revision) return false;
  const written = new Map<string, StoredObject>();
  const changes = store.since(since);
  for (const change of changes === "expired" ? [] : changes)
    written.set(`${change.resource}/${change.namespace}/${change.name}`, change);
  store.write((txn) => {
    txn.raise(revision);
    for (const { resource, namespace, name } of written.values()) {
      const object = txn.get({ resource, namespace, name });
      if (!object) continue;
      const next = txn.nextRevision();
      txn.put(
        { ...object, revision: next, json: withRevision(object.json, next) },
        refsOf(resource, JSON.parse(object.json)),
      );
    }
    store.removeSetting(SEEN);
  });
  return true;
}
