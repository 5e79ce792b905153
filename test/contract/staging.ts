/** What is promised of a store whose whole content is replaced, and of one whose revisions jump. */
import assert from "node:assert/strict";
import type { Encryption } from "../../worker/storage/encryption/data-keys.ts";
import { openStore } from "../../worker/storage/sqlite-store.ts";
import type { Sql, Store, StoredObject } from "../../worker/storage/store.ts";
import type { ContractCase } from "./store.ts";

const ENCRYPTION: Encryption = { secrets: ["the deployment's secret"], resources: ["secrets"], settings: ["key"] };
const KEPT = { settings: ["kept", "encryption.keys"], credentials: ["node"] };

const object = (resource: string, name: string, revision: number, text: string): StoredObject => {
  const json = JSON.stringify({ text, metadata: { resourceVersion: `${revision}` } });
  return { resource, namespace: "default", name, uid: `uid-${resource}-${name}`, revision, json };
};

function put(store: Store, resource: string, name: string, text = ""): StoredObject {
  return store.write((txn) => {
    const made = object(resource, name, txn.nextRevision(), text);
    txn.put(made, [`owner=${name}`]);
    return made;
  });
}

/** A store with something in every table, and something else staged. */
function scene(sql: Sql, encryption?: Encryption): { store: Store; old: StoredObject; staged: StoredObject[] } {
  const store = openStore(sql, encryption);
  const old = put(store, "pods", "old");
  put(store, "secrets", "old", "former");
  store.work.enqueue({ controller: "c", key: "k", due: 1 });
  for (const kind of ["node", "user"])
    store.credentials.add({ hash: `old-${kind}`, kind, subject: "s", expires: null });
  for (const name of ["kept", "gone", "key"]) store.setSetting(name, "old");
  const staged = [
    object("pods", "b", 1002, "ünï"),
    object("pods", "a", 1001, ""),
    object("secrets", "s", 1003, "secret"),
  ];
  for (const one of staged) store.staging.addObject(one, ["owner=x", "owner=x", `node=${one.name}`]);
  for (const name of ["kept", "key"]) store.staging.addSetting({ name, value: "new" });
  store.staging.addCredential({ hash: "new", kind: "user", subject: '{"name":"u"}', expires: 5 });
  return { store, old, staged };
}

const all = (store: Store) =>
  ["pods", "secrets"].flatMap((resource) => store.list({ resource }).items.map((o) => ({ ...o })));

function replaced(sql: Sql, encryption?: Encryption): void {
  const { store, old, staged } = scene(sql, encryption);
  store.write(() => store.staging.replaceAll(1003, KEPT));
  const now = openStore(sql, encryption);
  assert.deepEqual(all(now), [staged[1], staged[0], staged[2]]);
  assert.deepEqual(
    now.byRef("owner=x").map(({ name }) => name),
    ["a", "b", "s"],
  );
  assert.deepEqual(
    now.byRef("node=b").map(({ name }) => name),
    ["b"],
  );
  assert.deepEqual(now.byRef("owner=old"), []);
  assert.equal(now.work.nextDue(), undefined);
  assert.deepEqual(
    ["kept", "gone", "key"].map((name) => now.getSetting(name)),
    ["old", undefined, "new"],
  );
  assert.deepEqual(
    now.credentials.all().map(({ hash }) => hash),
    ["new", "old-node"],
  );
  assert.deepEqual(
    { ...now.credentials.find("new") },
    { hash: "new", kind: "user", subject: '{"name":"u"}', expires: 5 },
  );
  assert.equal(now.revision(), 1003);
  assert.equal(now.since(old.revision), "expired");
  assert.equal(now.since(1002), "expired");
  assert.deepEqual([...(now.since(1003) as Iterable<unknown>)], []);
  assert.equal(put(now, "pods", "next").revision, 1004);
}

export const STAGING: readonly ContractCase[] = [
  { name: "what was staged takes the place of everything but what is to be kept", run: (sql) => replaced(sql) },
  { name: "what was staged takes the place of everything, sealed", run: (sql) => replaced(sql, ENCRYPTION) },
  {
    name: "what is staged is seen by nobody, and goes when it is cleared",
    run(sql) {
      const { store, old } = scene(sql);
      assert.deepEqual(
        all(store).map(({ name }) => name),
        ["old", "old"],
      );
      assert.equal(store.count({ resource: "pods" }), 1);
      assert.deepEqual(store.resources(), ["pods", "secrets"]);
      store.staging.clear();
      store.write(() => store.staging.replaceAll(1003, KEPT));
      assert.equal(openStore(sql).get(old), undefined);
      assert.deepEqual(all(openStore(sql)), []);
    },
  },
  {
    name: "a replacement that fails has replaced nothing, and can be tried again",
    run(sql) {
      const { store, staged } = scene(sql);
      const before = all(store);
      store.staging.addObject(staged[0] as StoredObject, []);
      assert.throws(() => store.write(() => store.staging.replaceAll(1003, KEPT)), /UNIQUE/);
      const now = openStore(sql);
      assert.deepEqual(all(now), before);
      assert.equal(now.getSetting("gone"), "old");
      assert.equal(put(now, "pods", "next").revision, 3);
      assert.equal(now.byRef("owner=old").length, 2);
      sql.run("DELETE FROM staged WHERE revision = 1002");
      now.write(() => now.staging.replaceAll(1003, KEPT));
      assert.deepEqual(
        all(openStore(sql)).map(({ name }) => name),
        ["a", "s"],
      );
    },
  },
  {
    name: "revisions jump, and nothing before is known; a throw takes that back",
    run(sql) {
      const store = openStore(sql);
      const made = put(store, "pods", "a");
      assert.throws(() => store.write((txn) => txn.raise(1)), /not above/);
      assert.throws(() =>
        store.write((txn) => {
          txn.raise(500);
          throw new Error("no");
        }),
      );
      assert.equal(store.revision(), 1);
      assert.equal([...(store.since(0) as Iterable<unknown>)].length, 1);
      store.write((txn) => txn.raise(500));
      assert.equal(store.revision(), 500);
      assert.equal(store.since(1), "expired");
      assert.deepEqual({ ...store.get(made) }, made);
      assert.equal(put(store, "pods", "a", "again").revision, 501);
      assert.equal([...(store.since(500) as Iterable<unknown>)].length, 1);
      assert.deepEqual(
        (store.list({ resource: "pods" }, { at: 500 }) as { items: StoredObject[] }).items.map(
          ({ revision }) => revision,
        ),
        [1],
      );
      assert.equal(openStore(sql).revision(), 501);
    },
  },
];
