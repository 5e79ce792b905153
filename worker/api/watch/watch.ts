import { writeZeros } from "../../kinds/defaults.ts";
import type { Kind } from "../../kinds/kind.ts";
import type { Kinds } from "../../kinds/registry.ts";
import type { Effects } from "../../lib/effects.ts";
import type { KubeObject } from "../../lib/object.ts";
import { expired } from "../../lib/status.ts";
import type { Change, ListOptions, Reader, Scope, StoredObject } from "../../storage/store.ts";
import { bodyOf, formerBodyOf } from "../bodies.ts";
import { fromStored, kindServing } from "../engine/conversions.ts";
import { parseSelection, type Selection, selectsAll, selectsStored } from "../engine/selection.ts";
import { isBuiltIn, served, withRevision } from "../engine/stored.ts";
import { metadataText, tableText } from "../render.ts";
import type { WatchSpec } from "../request.ts";
import type { StoreView } from "../view.ts";

export type WatchesParts = {
  kinds: Kinds;
  view: StoreView;
  effects: Effects;
  /** Puts in what is true now and is not written. */
  current?(kind: Kind, objects: readonly StoredObject[]): readonly StoredObject[];
};
/** What a watch asks for: equal for those that are told the same. */
const questionOf = ({
  groupResource,
  apiVersion,
  namespace,
  labelSelector,
  fieldSelector,
  format,
  metaVersion,
}: WatchSpec): string =>
  [groupResource, apiVersion, namespace, labelSelector, fieldSelector, format, metaVersion].join("\n");

/** Objects in memory at once while a watch begins. */
const ROWS_AT_ONCE = 200;
type Position = NonNullable<ListOptions["after"]>;

type EventType = "ADDED" | "MODIFIED" | "DELETED";

/**
 * What watchers read: lines of JSON. A watch is its spec and nothing else, so that it survives hibernation; what is
 * derived from a spec is kept only as long as that object lives.
 */
export class Watches {
  readonly #kinds: Kinds;
  readonly #view: StoreView;
  readonly #effects: Effects;
  readonly #current: NonNullable<WatchesParts["current"]>;
  readonly #selections = new Map<string, Selection>();

  constructor({ kinds, view, effects, current = (_kind, objects) => objects }: WatchesParts) {
    this.#kinds = kinds;
    this.#view = view;
    this.#effects = effects;
    this.#current = current;
  }

  /** The scope whose changes concern this watch. */
  scope(spec: WatchSpec): Scope {
    return { resource: spec.groupResource, ...(spec.namespace && { namespace: spec.namespace }) };
  }

  /**
   * What comes before the first change: the objects there are when asked for, or what changed since the spec's
   * revision, or one ERROR when that is no longer known. Moves `spec.revision` on; the caller goes on from there.
   */
  *initialEvents(spec: WatchSpec, store: Reader): Iterable<string> {
    const kind = this.#kind(spec);
    if (!kind) return;
    if (spec.sendInitial) yield* this.#existing(spec, kind, store);
    else {
      const changes = store.since(spec.revision, [this.scope(spec)]);
      if (changes === "expired") return yield this.tooOld(spec, store.oldestRevision());
      for (const change of changes) {
        const line = this.renderChange(spec, change);
        if (line) yield line;
      }
    }
    spec.revision = store.revision();
    if (spec.initialEventsEnd) yield this.bookmark(spec, spec.revision, true);
  }

  *#existing(spec: WatchSpec, kind: Kind, store: Reader): Iterable<string> {
    const selection = this.#selection(kind, spec);
    let after: Position | undefined;
    do {
      const page = store.list(this.scope(spec), { limit: ROWS_AT_ONCE, count: false, ...(after && { after }) });
      for (const stored of this.#current(kind, page.items))
        if (selectsAll(selection) || selectsStored(kind, selection, stored.json, () => this.#view.parse(stored)))
          yield this.#line(spec, kind, "ADDED", stored.json, () => this.#view.parse(stored));
      after = page.next;
    } while (after);
  }

  /**
   * The lines for all changes of a turn, or "". Watches that ask for the same are told the same, in one text: `told` keeps
   * it from one to the next of a turn.
   */
  renderChanges(spec: WatchSpec, changes: readonly Change[], told: Map<string, string>): string {
    const [first, last] = [changes[0], changes.at(-1)];
    // Columns come once for each Table, and a watch that has begun within the turn must not hear what was before it.
    const isShared = first !== undefined && spec.format !== "table" && spec.revision < first.revision;
    const key = isShared ? questionOf(spec) : "";
    const known = isShared ? told.get(key) : undefined;
    if (known !== undefined) {
      spec.revision = last?.revision ?? spec.revision;
      return known;
    }
    let lines = "";
    for (const change of changes) lines += this.renderChange(spec, change);
    if (isShared) told.set(key, lines);
    return lines;
  }

  /** The line for one change, or "" when the watcher does not see it. Moves `spec.revision` on. */
  renderChange(spec: WatchSpec, change: Change): string {
    if (change.revision <= spec.revision) return "";
    spec.revision = change.revision;
    if (change.resource !== spec.groupResource || (spec.namespace && change.namespace !== spec.namespace)) return "";
    const kind = this.#kind(spec);
    if (!kind) return "";
    const selection = this.#selection(kind, spec);
    const type = selectsAll(selection) ? change.type : this.#transition(kind, selection, change);
    if (!type) return "";
    if (type !== "DELETED" || change.type === "DELETED" || change.previous === undefined)
      return this.#line(spec, kind, type, change.json, () => bodyOf(change));
    const last = withRevision(served(kind, change.previous), change.revision);
    return this.#line(spec, kind, type, last, () => JSON.parse(last) as KubeObject);
  }

  /** An object that enters a selection is ADDED to it, one that leaves is DELETED from it, as it last was in it. */
  #transition(kind: Kind, selection: Selection, change: Change): EventType | undefined {
    // A DELETED change repeats the last body, so that is also what was there before.
    const before = change.previous ?? (change.type === "DELETED" ? change.json : undefined);
    const was =
      before !== undefined && selectsStored(kind, selection, before, () => formerBodyOf(change) ?? bodyOf(change));
    const is = change.type !== "DELETED" && selectsStored(kind, selection, change.json, () => bodyOf(change));
    if (is) return was ? "MODIFIED" : "ADDED";
    return was ? "DELETED" : undefined;
  }

  #line(spec: WatchSpec, kind: Kind, type: EventType, json: string, parse: () => KubeObject): string {
    return `{"type":"${type}","object":${this.#body(spec, kind, json, parse)}}\n`;
  }

  #body(spec: WatchSpec, kind: Kind, json: string, parse: () => KubeObject): string {
    switch (spec.format) {
      case "json":
        return served(kind, json);
      case "metadata":
        return metadataText(parse(), spec.metaVersion);
      case "table":
        return tableText(kind, [{ json, object: fromStored(kind, parse()) }], this.#effects.now(), spec, {
          withColumns: this.#isFirstLine(spec),
        });
    }
  }

  /** Only the first event of a Table watch carries the column definitions. */
  #isFirstLine(spec: WatchSpec): boolean {
    const isFirst = !spec.headed;
    spec.headed = true;
    return isFirst;
  }

  /** Tells the client how far it has come; with `initialEnd`, also that all that was there has been sent. */
  bookmark(spec: WatchSpec, revision: number, initialEnd = false): string {
    const kind = this.#kind(spec);
    if (!kind) return "";
    const annotations = { "k8s.io/initial-events-end": "true" };
    const metadata = { resourceVersion: String(revision), ...(initialEnd && { annotations }) };
    const object: KubeObject = { kind: kind.kind, apiVersion: spec.apiVersion, metadata };
    if (isBuiltIn(kind)) writeZeros(kind.schema, object);
    // The object of this row tells that the initial events are over, so it is there whether or not rows have any.
    const shown = initialEnd ? { ...spec, includeObject: "Metadata" } : spec;
    const text = this.#body(shown, kind, JSON.stringify(object), () => object);
    spec.headed = shown.headed;
    return `{"type":"BOOKMARK","object":${text}}\n`;
  }

  /** The last line of a watch whose revision is no longer known. */
  tooOld(spec: WatchSpec, oldest: number): string {
    const object = expired(`too old resource version: ${spec.revision} (${oldest})`).status();
    return `${JSON.stringify({ type: "ERROR", object })}\n`;
  }

  #kind(spec: WatchSpec): Kind | undefined {
    return kindServing(this.#kinds, spec.groupResource, spec.apiVersion);
  }

  #selection(kind: Kind, { labelSelector, fieldSelector }: WatchSpec): Selection {
    const key = `${kind.apiVersion}/${kind.resource}\n${labelSelector}\n${fieldSelector}`;
    let selection = this.#selections.get(key);
    if (!selection) {
      if (this.#selections.size >= MAX_SELECTIONS) this.#selections.clear();
      selection = parseSelection(kind, labelSelector, fieldSelector);
      this.#selections.set(key, selection);
    }
    return selection;
  }
}

/** Parsed selectors kept; they are many only when clients are. */
const MAX_SELECTIONS = 1000;
