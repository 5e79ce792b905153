/** Random histories against a store and against the simplest thing that could be right: a copy of the world a revision. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { openStore } from "../../worker/storage/sqlite-store.ts";
import type { Change, ListOptions, Page, Scope, Sql, Store, StoredObject } from "../../worker/storage/store.ts";

type Step =
  | { do: "put" | "remove"; resource: string; namespace: string; name: string }
  | { do: "fail" | "restart" }
  | { do: "compact"; keep: number; budget: number };

const RESOURCES = ["pods", "services"];
const NAMESPACES = ["", "a", "b"];
const NAMES = ["x", "y", "z"];

const key = {
  resource: fc.constantFrom(...RESOURCES),
  namespace: fc.constantFrom(...NAMESPACES),
  name: fc.constantFrom(...NAMES),
};
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("put" as const), ...key }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("remove" as const), ...key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("fail" as const, "restart" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("compact" as const),
      keep: fc.nat({ max: 8 }),
      budget: fc.integer({ min: 1, max: 5 }),
    }),
  },
);

type World = ReadonlyMap<string, StoredObject>;
const idOf = (o: { resource: string; namespace: string; name: string }) => `${o.resource} ${o.namespace} ${o.name}`;

/** `worlds[r]` is the world at revision r; `changes[r]` made it out of `worlds[r - 1]`. */
type Model = { worlds: World[]; changes: (Change | undefined)[] };

function write(store: Store, model: Model, step: Step & { do: "put" | "remove" }): void {
  const { resource, namespace, name } = step;
  const world = model.worlds.at(-1) as World;
  const old = world.get(idOf(step));
  if (step.do === "remove" && !old) return;
  const change = store.write((txn): Change => {
    const revision = txn.nextRevision();
    const object = { resource, namespace, name, uid: `u ${idOf(step)}`, revision, json: `{"r":${revision}}` };
    if (step.do === "put") txn.put(object, []);
    else txn.remove(object);
    return { ...object, type: step.do === "remove" ? "DELETED" : old ? "MODIFIED" : "ADDED", previous: old?.json };
  });
  const { type, previous: _, ...object } = change;
  const next = new Map(world);
  if (type === "DELETED") next.delete(idOf(object));
  else next.set(idOf(object), object);
  model.worlds.push(next);
  model.changes.push(change);
}

function take(store: Store, model: Model, step: Step, reopen: () => Store): Store {
  if (step.do === "put" || step.do === "remove") write(store, model, step);
  else if (step.do === "compact") store.compact(step.keep, step.budget);
  else if (step.do === "restart") return reopen();
  else
    assert.throws(() =>
      store.write((txn) => {
        const object = { resource: "pods", namespace: "a", name: "x", uid: "u pods a x", json: "{}" };
        txn.put({ ...object, revision: txn.nextRevision() }, []);
        throw new Error("rolled back");
      }),
    );
  return store;
}

const plain = <T extends object>(rows: Iterable<T>): T[] => Array.from(rows, (row) => ({ ...row }));
const inScope = (scope: Scope) => (object: StoredObject) =>
  object.resource === scope.resource && (scope.namespace === undefined || object.namespace === scope.namespace);
const byKey = (a: StoredObject, b: StoredObject) => (idOf(a) < idOf(b) ? -1 : 1);

function pages(store: Store, scope: Scope, options: ListOptions): Page[] {
  const pages: Page[] = [];
  for (let after: ListOptions["after"]; ; ) {
    const page = store.list(scope, { ...options, after });
    assert.notEqual(page, "expired");
    pages.push(page as Page);
    after = (page as Page).next;
    if (!after) return pages;
  }
}

const SCOPES: Scope[] = RESOURCES.flatMap((resource) => [{ resource }, { resource, namespace: "a" }]);

function check(store: Store, { worlds, changes }: Model, limit: number): void {
  const newest = worlds.length - 1;
  assert.equal(store.revision(), newest);
  const horizon = store.oldestRevision();
  assert.ok(horizon <= newest);
  if (horizon > 0) assert.equal(store.since(horizon - 1), "expired");
  for (let revision = horizon; revision <= newest; revision++) {
    assert.deepEqual(plain(store.since(revision) as Iterable<Change>), changes.slice(revision + 1));
    for (const scope of SCOPES) {
      const expected = [...(worlds[revision] as World).values()].filter(inScope(scope)).sort(byKey);
      assert.deepEqual(plain((store.list(scope, { at: revision }) as Page).items), expected);
      let seen = 0;
      for (const page of pages(store, scope, { at: revision, limit })) {
        assert.deepEqual(plain(page.items), expected.slice(seen, seen + limit));
        seen += page.items.length;
        assert.equal(page.remaining ?? 0, expected.length - seen);
      }
      assert.equal(seen, expected.length);
    }
  }
}

function empty(sql: Sql): void {
  for (const table of ["objects", "changes", "refs", "settings"]) sql.run(`DELETE FROM ${table}`);
}

export function storeMatchesModel(sql: Sql): void {
  openStore(sql);
  const property = fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), (steps, limit) => {
    empty(sql);
    let store = openStore(sql);
    const model: Model = { worlds: [new Map()], changes: [undefined] };
    for (const step of steps) store = take(store, model, step, () => openStore(sql));
    check(store, model, limit);
  });
  fc.assert(property, { numRuns: 60 });
}
