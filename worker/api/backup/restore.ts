/**
 * Takes a backup in, part by part: each is kept aside, in rows that nobody reads, and the last puts all of it in the place
 * of what there is, in one transaction. Where it ends before that, nothing has changed.
 *
 * Objects get new revisions, above all that the cluster or the backup has ever had: no client that has seen either can
 * take what it knows for what is there now.
 */
import { BackupError, type Counts, type Header, type Part, parseHeader, parseLine } from "../../lib/backup-format.ts";
import type { Effects } from "../../lib/effects.ts";
import type { KubeObject } from "../../lib/object.ts";
import { ApiError, badRequest } from "../../lib/status.ts";
import type { Credential, Store } from "../../storage/store.ts";
import { refsOf } from "../engine/refs.ts";
import { withRevision } from "../engine/stored.ts";
import { forked } from "./fork.ts";
import { inventory } from "./inventory.ts";
import { IDENTITY_SETTINGS, LAST, LOCAL_SETTINGS, STATE, TRANSIENT_SETTINGS } from "./settings.ts";

/** What the cluster may write while a backup comes in, in revisions. */
const ROOM = 1_000_000;
/** A restore that has not gone on for so long was given up, ms. */
const GIVEN_UP_MS = 3_600_000;

export type RestoreOptions = {
  /** The client's name for this restore, so that its last part is not taken for another's when it is sent again. */
  id: string;
  /** The check of the part before; "" for the first. */
  after: string;
  /** Also where the cluster is not empty. */
  replace: boolean;
  /** The cluster keeps its own identity, and nothing comes that belongs to the old one's machines. */
  fork: boolean;
};
type Restored = {
  restored: string;
  revision: number;
  objects: number;
  from: Pick<Header, "cluster" | "revision" | "time">;
};
export type RestoreAnswer = { received: string } | Restored;
type Last = { id: string; answer: Restored };

type State = {
  id: string;
  check: string;
  fork: boolean;
  systemNamespaceUid: string;
  /** The last that was given. */
  revision: number;
  /** Revisions begin after it. */
  floor: number;
  header: Header;
  /** Of lines. */
  counts: Counts;
  /** Id of the key that what is kept aside is sealed with. */
  key: number | undefined;
  /** When the last part came, ms. */
  at: number;
};

export type RestoreParts = {
  store: Store;
  effects: Pick<Effects, "uid" | "now">;
  /** All that memory holds is of the past. */
  restored(): void;
};

const PREFIX = '{"resource":';
const OBJECT = ',"object":';

/** To be called within a turn. The part has been checked against `after`. Throws ApiError for what cannot be taken. */
export function receivePart(parts: RestoreParts, part: Part, options: RestoreOptions): RestoreAnswer {
  const { store } = parts;
  const last = read<Last>(store, LAST);
  // The client did not hear the answer to what has been done.
  if (last?.id === options.id && last.answer.restored === part.check) return last.answer;
  const state = read<State>(store, STATE);
  const isFirst = options.after === "";
  if (!isFirst && state?.id === options.id && state.check === part.check) return { received: part.check };
  if (!isFirst && (state?.id !== options.id || state.check !== options.after))
    throw new ApiError(409, "Conflict", "another restore has begun meanwhile, or this one was given up: begin again");
  let answer: RestoreAnswer;
  try {
    answer = store.write(() => take(parts, isFirst ? begin(parts, part, options) : (state as State), part));
  } catch (error) {
    throw error instanceof BackupError ? badRequest(error.message) : error;
  }
  if ("restored" in answer) parts.restored();
  return answer;
}

function read<T>(store: Store, setting: string): T | undefined {
  const text = store.getSetting(setting);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

function begin({ store, effects }: RestoreParts, part: Part, { id, replace, fork }: RestoreOptions): State {
  const header = parseHeader(part.lines.shift() ?? "");
  const there = inventory(store);
  if (there !== "" && !replace)
    throw new ApiError(409, "Conflict", `this cluster has ${there}: a restore must be told to replace them`);
  store.staging.clear();
  const floor = Math.max(store.revision(), header.revision) + ROOM;
  const systemNamespaceUid =
    store.get({ resource: "namespaces", namespace: "", name: "kube-system" })?.uid ?? effects.uid();
  return {
    id,
    check: "",
    fork,
    systemNamespaceUid,
    revision: floor,
    floor,
    header,
    counts: { settings: 0, credentials: 0, objects: 0 },
    key: keyOf(store),
    at: effects.now(),
  };
}

/** Gives back the room of a restore that nobody went on with. */
export function forgetGivenUp(store: Store, now: number): void {
  const state = read<State>(store, STATE);
  if (!state || now - state.at < GIVEN_UP_MS) return;
  store.write(() => {
    store.staging.clear();
    store.removeSetting(STATE);
  });
}

const keyOf = (store: Store): number | undefined => store.keys?.list()[0]?.id;

function take({ store, effects }: RestoreParts, state: State, part: Part): RestoreAnswer {
  if (state.key !== keyOf(store))
    throw new ApiError(409, "Conflict", "the key that the storage is encrypted with has changed: begin again");
  for (const line of part.lines) {
    const isEnd = takeLine(store, state, line);
    if (isEnd !== (part.isLast && line === part.lines.at(-1)))
      throw new BackupError("the backup is corrupted: its end is not where it must be");
  }
  state.check = part.check;
  state.at = effects.now();
  if (part.isLast) return finish(store, state);
  store.setSetting(STATE, JSON.stringify(state));
  return { received: part.check };
}

type Line = {
  setting?: unknown;
  value?: unknown;
  credential?: unknown;
  resource?: unknown;
  object?: unknown;
  end?: unknown;
};

/** True for the end. What this release does not know it passes over. */
function takeLine(store: Store, state: State, text: string): boolean {
  const line = parseLine(text) as Line;
  const { counts } = state;
  if (typeof line.resource === "string") {
    counts.objects++;
    takeObject(store, state, line.resource, line.object as KubeObject, text);
  } else if (typeof line.setting === "string" && typeof line.value === "string") {
    counts.settings++;
    if (!isLeft(line.setting, state.fork)) store.staging.addSetting({ name: line.setting, value: line.value });
  } else if (isCredential(line.credential)) {
    counts.credentials++;
    // A join token is for machines that join now: those that there are go on, and others do not come back.
    if (!state.fork && line.credential.kind !== "join") store.staging.addCredential(line.credential);
  } else if (line.end) {
    const said = line.end as Partial<Counts>;
    for (const name of ["settings", "credentials", "objects"] as const)
      if (said[name] !== counts[name]) throw new BackupError(`the backup is corrupted: it lacks some of its ${name}`);
    return true;
  }
  return false;
}

const isLeft = (name: string, fork: boolean): boolean =>
  LOCAL_SETTINGS.includes(name) || TRANSIENT_SETTINGS.includes(name) || (fork && IDENTITY_SETTINGS.includes(name));

function isCredential(value: unknown): value is Credential {
  const { hash, kind, subject, expires } = (value ?? {}) as Partial<Credential>;
  const isTime = expires === null || typeof expires === "number";
  return typeof hash === "string" && typeof kind === "string" && typeof subject === "string" && isTime;
}

function takeObject(store: Store, state: State, resource: string, object: KubeObject, line: string): void {
  const { name, uid } = object?.metadata ?? {};
  if (!name || !uid) throw new BackupError(`the backup is corrupted: one of its ${resource} has no name or uid`);
  const start = `${PREFIX}${JSON.stringify(resource)}${OBJECT}`;
  // The text as it lay in storage; what another program wrote may have its fields in another order.
  const text = line.startsWith(start) ? line.slice(start.length, -1) : JSON.stringify(object);
  const kept = state.fork ? forked(resource, object, text, state) : { object, text };
  if (!kept) return;
  const revision = ++state.revision;
  const json = withRevision(kept.text, revision);
  const { namespace = "", uid: keptUid = uid } = kept.object.metadata ?? {};
  const stored = { resource, namespace, name, uid: keptUid, revision, json };
  store.staging.addObject(stored, refsOf(resource, kept.object));
}

function finish(store: Store, state: State): Restored {
  if (store.revision() >= state.floor)
    throw new ApiError(409, "Conflict", "the cluster has written too much meanwhile: begin again");
  const { cluster, revision, time } = state.header;
  const objects = state.revision - state.floor;
  const answer: Restored = {
    restored: state.check,
    revision: state.revision,
    objects,
    from: { cluster, revision, time },
  };
  // Machines that have joined stay nodes, whether or not the backup knows them.
  const keep = {
    settings: state.fork ? [...LOCAL_SETTINGS, ...IDENTITY_SETTINGS] : LOCAL_SETTINGS,
    credentials: state.fork ? ["node", "join", "user"] : ["node", "join"],
  };
  try {
    store.staging.replaceAll(state.revision, keep);
  } catch (error) {
    if (error instanceof Error && /UNIQUE constraint/.test(error.message))
      throw new BackupError("the backup is corrupted: it has an object twice");
    throw error;
  }
  store.setSetting(LAST, JSON.stringify({ id: state.id, answer } satisfies Last));
  return answer;
}
