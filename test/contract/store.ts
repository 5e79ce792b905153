/** What every store promises, as cases that run against any `Sql`, each with an empty database of its own. */
import assert from "node:assert/strict";
import type { ListText } from "../../worker/storage/list-text.ts";
import { openStore } from "../../worker/storage/sqlite-store.ts";
import type { Change, Sql, Store, StoredObject, Txn } from "../../worker/storage/store.ts";
import { ENCRYPTION } from "./encryption.ts";
import { storeMatchesModel } from "./model.ts";
import { STAGING } from "./staging.ts";

export type ContractCase = { name: string; run(sql: Sql): void };

const body = (revision: number, text: string) => JSON.stringify({ text, metadata: { resourceVersion: `${revision}` } });

type Where = { resource?: string; namespace?: string; refs?: string[] };

function put(txn: Txn, name: string, text: string, where: Where = {}): StoredObject {
  const { resource = "pods", namespace = "default", refs = [] } = where;
  const revision = txn.nextRevision();
  const object = { resource, namespace, name, uid: `uid-${resource}-${namespace}-${name}`, revision };
  const stored = { ...object, json: body(revision, text) };
  txn.put(stored, refs);
  return stored;
}

function remove(txn: Txn, name: string, { resource = "pods", namespace = "default" }: Where = {}): void {
  const revision = txn.nextRevision();
  const object = { resource, namespace, name, uid: `uid-${resource}-${namespace}-${name}`, revision };
  txn.remove({ ...object, json: body(revision, "last") });
}

const PODS = { resource: "pods" };
const pod = (name: string) => ({ resource: "pods", namespace: "default", name });
const names = (items: readonly { name: string }[]) => items.map(({ name }) => name);

function listed<T>(answer: T | "expired"): T {
  assert.notEqual(answer, "expired");
  return answer as T;
}
const replay = (store: Store, revision: number, scopes?: { resource: string; namespace?: string }[]): Change[] => [
  ...listed(store.since(revision, scopes)),
];
const told = (changes: readonly Change[]) => changes.map(({ type, name }) => `${type} ${name}`);

const objects: ContractCase[] = [
  {
    name: "an object is read as it was written",
    run(sql) {
      const store = openStore(sql);
      const written = store.write((txn) => put(txn, "web", 'unicode ☃ and "quotes"'));
      assert.deepEqual({ ...store.get(pod("web")) }, written);
      assert.equal(store.get(pod("other")), undefined);
      assert.equal(store.revision(), 1);
    },
  },
  {
    name: "a list is in byte order of namespace and name, and holds to its scope",
    run(sql) {
      const store = openStore(sql);
      store.write((txn) => {
        for (const name of ["b", "a-b", "a", "a.b", "B", "a0"]) put(txn, name, "");
        put(txn, "z", "", { namespace: "alpha" });
        put(txn, "z", "", { namespace: "default-2" });
        put(txn, "z", "", { resource: "podsx" });
      });
      const all = listed(store.list(PODS));
      assert.deepEqual(names(all.items), ["z", "B", "a", "a-b", "a.b", "a0", "b", "z"]);
      assert.equal(all.revision, 9);
      assert.deepEqual(names(listed(store.list({ ...PODS, namespace: "default" })).items).length, 6);
      assert.equal(store.count(PODS), 8);
      assert.equal(store.count({ ...PODS, namespace: "alpha" }), 1);
      assert.equal(store.count({ resource: "none" }), 0);
      assert.deepEqual(store.resources(), ["pods", "podsx"]);
    },
  },
  {
    name: "pages follow each other across namespaces and tell how many remain",
    run(sql) {
      const store = openStore(sql);
      store.write((txn) => {
        for (const namespace of ["a", "b"]) for (const name of ["1", "2", "3"]) put(txn, name, "", { namespace });
      });
      const first = listed(store.list(PODS, { limit: 4 }));
      assert.equal(first.items.length, 4);
      assert.deepEqual(first.next, { namespace: "b", name: "1" });
      assert.equal(first.remaining, 2);
      const second = listed(store.list(PODS, { limit: 4, after: first.next }));
      assert.deepEqual(names(second.items), ["2", "3"]);
      assert.equal(second.next, undefined);
      assert.equal(second.remaining, undefined);
      assert.equal(listed(store.list(PODS, { limit: 4, count: false })).remaining, undefined);
      assert.equal(listed(store.list(PODS, { limit: 6 })).next, undefined, "an exact fit is the last page");
    },
  },
  {
    name: "a list as text has the objects of a list, in key order, without what they all begin with",
    run(sql) {
      const store = openStore(sql);
      const opening = '{"kind":"Pod",';
      const keys = ["b/1", "a/2", "a-b/3", "a/1", ...Array.from({ length: 250 }, (_, i) => `z/${1000 + i}`)];
      store.write((txn) => {
        for (const key of keys) {
          const [namespace = "", name = ""] = key.split("/");
          const revision = txn.nextRevision();
          const json = `${opening}"is":"${key} ü"}`;
          txn.put({ resource: PODS.resource, namespace, name, uid: key, revision, json }, []);
        }
      });
      const all = listed(store.list(PODS)).items.map(({ json }) => JSON.parse(json).is as string);
      const decoder = new TextDecoder();
      const read = ({ parts }: ListText) => {
        const items = JSON.parse(`[${parts.map((part) => decoder.decode(part)).join(",")}]`) as { is: string }[];
        return items.map(({ is }) => is);
      };
      const whole = store.listText(PODS, opening);
      assert.deepEqual(whole && read(whole), all);
      assert.equal(whole?.count, keys.length);
      const page = store.listText(PODS, opening, { limit: 2 });
      assert.deepEqual(page && { ...page, parts: read(page) }, {
        parts: all.slice(0, 2),
        count: 2,
        last: { namespace: "a", name: "2" },
      });
      const rest = store.listText(PODS, opening, { after: page?.last });
      assert.deepEqual(rest && read(rest), all.slice(2));
      const within = store.listText({ ...PODS, namespace: "a" }, opening, { after: { namespace: "a", name: "1" } });
      assert.deepEqual(within && read(within), ["a/2 ü"]);
      assert.deepEqual(store.listText({ ...PODS, namespace: "none" }, opening), { parts: [], count: 0 });
      assert.equal(store.listText(PODS, '{"kind":"Node",'), undefined, "no one would see the difference");
    },
  },
  {
    name: "refs find objects in key order, and follow every write",
    run(sql) {
      const store = openStore(sql);
      store.write((txn) => {
        put(txn, "b", "", { refs: ["node=n1", "owner=u1", "owner=u1"] });
        put(txn, "a", "", { refs: ["node=n1"] });
        put(txn, "set", "", { resource: "replicasets.apps", refs: ["owner=u1"] });
      });
      assert.deepEqual(names(store.byRef("node=n1")), ["a", "b"]);
      assert.deepEqual(names(store.byRef("owner=u1")), ["b", "set"]);
      assert.deepEqual(names(store.byRef("owner=u1", "pods")), ["b"]);
      assert.deepEqual(
        store.versionsByRef("owner=u1", "pods").map((version) => ({ ...version })),
        store.byRef("owner=u1", "pods").map(({ json: _, ...version }) => version),
      );
      store.write((txn) => {
        put(txn, "b", "", { refs: ["node=n2"] });
        remove(txn, "a");
      });
      assert.deepEqual(names(store.byRef("node=n1")), []);
      assert.deepEqual(names(store.byRef("node=n2")), ["b"]);
      assert.deepEqual(names(store.byRef("owner=u1")), ["set"]);
    },
  },
  {
    name: "what must not happen is refused: writes out of turn, absent keys, a changed uid",
    run(sql) {
      const store = openStore(sql);
      const leaked = store.write((txn) => ({ txn })).txn;
      assert.throws(() => leaked.nextRevision(), /outside a transaction/);
      assert.throws(() => store.write((txn) => remove(txn, "absent")), /does not exist/);
      const object = store.write((txn) => put(txn, "web", ""));
      assert.throws(() => store.write((txn) => txn.put(object, [])), /twice or out of order/);
      assert.throws(() => store.write((txn) => txn.put({ ...object, revision: 9 }, [])), /not taken/);
      const other = (txn: Txn) => txn.put({ ...object, uid: "other", revision: txn.nextRevision() }, []);
      assert.throws(() => store.write(other), /another uid/);
      assert.equal(store.revision(), 1);
    },
  },
];

const transactions: ContractCase[] = [
  {
    name: "a throw takes everything back, revisions and work too",
    run(sql) {
      const store = openStore(sql);
      store.write((txn) => put(txn, "kept", ""));
      const heard: string[] = [];
      store.onChange((changes) => heard.push(...told(changes)));
      const failing = () =>
        store.write((txn) => {
          put(txn, "lost", "", { refs: ["node=n"] });
          store.work.enqueue({ controller: "c", key: "k", due: 1 });
          store.setSetting("s", "v");
          throw new Error("no");
        });
      assert.throws(failing, /no/);
      assert.deepEqual(names(listed(store.list(PODS)).items), ["kept"]);
      assert.deepEqual(store.byRef("node=n"), []);
      assert.equal(store.work.nextDue(), undefined);
      assert.equal(store.getSetting("s"), undefined);
      assert.equal(store.revision(), 1);
      assert.deepEqual(heard, []);
      assert.equal(store.write((txn) => put(txn, "next", "")).revision, 2, "the lost revision is given back");
    },
  },
  {
    name: "a nested write joins the outer one; a nested throw that is caught takes back only its own",
    run(sql) {
      const store = openStore(sql);
      const heard: string[][] = [];
      store.onChange((changes) => heard.push(told(changes)));
      store.write((outer) => {
        put(outer, "a", "");
        store.write((inner) => put(inner, "b", ""));
        const failing = () =>
          store.write((inner) => {
            put(inner, "c", "");
            throw new Error("inner");
          });
        assert.throws(failing, /inner/);
        put(outer, "d", "");
      });
      assert.deepEqual(heard, [["ADDED a", "ADDED b", "ADDED d"]]);
      assert.deepEqual(told(replay(store, 0)), ["ADDED a", "ADDED b", "ADDED d"]);
      assert.equal(store.revision(), 3);
    },
  },
  {
    name: "a revision taken and not used is given back",
    run(sql) {
      const store = openStore(sql);
      store.write((txn) => txn.nextRevision());
      assert.equal(store.write((txn) => put(txn, "web", "")).revision, 1);
    },
  },
  {
    name: "listeners hear each commit once, with bodies, in order, even when one of them writes",
    run(sql) {
      const store = openStore(sql);
      const first: string[] = [];
      const second: string[] = [];
      store.onChange((changes) => {
        first.push(...told(changes));
        if (changes[0]?.type === "ADDED" && changes[0].name === "a") store.write((txn) => put(txn, "echo", ""));
      });
      const end = store.onChange((changes) => second.push(...told(changes)));
      store.write((txn) => put(txn, "a", "1"));
      assert.deepEqual(first, ["ADDED a", "ADDED echo"]);
      assert.deepEqual(second, first);
      end();
      const bodies: (string | undefined)[] = [];
      store.onChange(([change]) => bodies.push(change?.previous, change?.json));
      store.write((txn) => put(txn, "a", "2"));
      assert.deepEqual(bodies, [body(1, "1"), body(3, "2")]);
      assert.equal(second.length, 2);
      store.write(() => undefined);
      assert.equal(bodies.length, 2, "a commit without changes is not told");
    },
  },
];

const log: ContractCase[] = [
  {
    name: "since gives changes with the bodies they replaced, of the scopes asked for",
    run(sql) {
      const store = openStore(sql);
      store.write((txn) => put(txn, "a", "1"));
      store.write((txn) => put(txn, "a", "2"));
      store.write((txn) => put(txn, "b", "", { namespace: "other" }));
      store.write((txn) => put(txn, "c", "", { resource: "nodes", namespace: "" }));
      store.write((txn) => remove(txn, "a"));
      store.write((txn) => put(txn, "a", "3"));
      const changes = replay(store, 1, [PODS]);
      assert.deepEqual(told(changes), ["MODIFIED a", "ADDED b", "DELETED a", "ADDED a"]);
      assert.deepEqual(
        changes.map(({ previous }) => previous),
        [body(1, "1"), undefined, body(2, "2"), undefined],
      );
      assert.equal(changes[2]?.json, body(5, "last"), "DELETED carries the last body under its new revision");
      const scopes = [{ resource: "pods", namespace: "other" }, { resource: "nodes" }];
      assert.deepEqual(told(replay(store, 0, scopes)), ["ADDED b", "ADDED c"]);
      assert.deepEqual(told(replay(store, 6)), []);
    },
  },
  {
    name: "since reads past its batches and stops at the revision of its call",
    run(sql) {
      const store = openStore(sql);
      store.write((txn) => {
        for (let i = 0; i < 250; i++) put(txn, `p${i}`, "");
      });
      const changes = listed(store.since(10));
      store.write((txn) => put(txn, "later", ""));
      assert.equal([...changes].length, 241);
      let seen = 0;
      for (const { name } of listed(store.since(0))) {
        if (seen < 3) store.write((txn) => put(txn, name, "again"));
        seen += 1;
      }
      assert.equal(seen, 251, "writes made while it is read are not seen");
    },
  },
  {
    name: "a list of the past is what it was, page by page",
    run(sql) {
      const store = openStore(sql);
      store.write((txn) => {
        for (const name of ["a", "b", "c", "d"]) put(txn, name, "1");
      });
      const first = listed(store.list(PODS, { limit: 2 }));
      store.write((txn) => {
        put(txn, "c", "2");
        put(txn, "c", "3");
        remove(txn, "d");
        put(txn, "bb", "new");
        remove(txn, "a");
        put(txn, "a", "again");
      });
      const rest = listed(store.list(PODS, { limit: 1, after: first.next, at: first.revision }));
      assert.deepEqual(names(rest.items), ["c"]);
      assert.equal(rest.items[0]?.json, body(3, "1"));
      assert.equal(rest.revision, first.revision);
      assert.equal(rest.remaining, 1);
      const last = listed(store.list(PODS, { limit: 1, after: rest.next, at: first.revision }));
      assert.deepEqual(names(last.items), ["d"]);
      assert.equal(last.next, undefined);
      assert.equal(listed(store.list(PODS, { at: 4 })).items[0]?.json, body(1, "1"));
    },
  },
  {
    name: "compaction moves the horizon in steps; the past before it is expired, that after it whole",
    run(sql) {
      const store = openStore(sql);
      store.write((txn) => put(txn, "a", "1"));
      store.write((txn) => put(txn, "b", "1"));
      store.write((txn) => put(txn, "a", "2"));
      store.write((txn) => remove(txn, "b"));
      store.write((txn) => put(txn, "a", "3"));
      assert.equal(store.compact(10, 100), false, "fewer than it keeps");
      assert.equal(store.compact(1, 2), true);
      assert.equal(store.oldestRevision(), 2);
      assert.equal(store.since(1), "expired");
      assert.equal(store.list(PODS, { at: 1 }), "expired");
      assert.deepEqual(
        replay(store, 2).map(({ previous }) => previous),
        [body(1, "1"), body(2, "1"), body(3, "2")],
      );
      assert.equal(store.compact(0, 100), false);
      assert.equal(store.oldestRevision(), 5);
      assert.equal(sql.all("SELECT revision FROM changes").length, 0, "nothing is kept twice");
      store.write((txn) => put(txn, "a", "4"));
      assert.equal(replay(store, 5)[0]?.previous, body(5, "3"), "the body it replaced is known all the same");
      assert.equal(listed(store.list(PODS, { at: 5 })).items[0]?.json, body(5, "3"));
      store.write((txn) => remove(txn, "a"));
      store.compact(0, 100);
      assert.equal(sql.all("SELECT revision FROM changes").length, 0);
    },
  },
  {
    name: "revision, horizon and bodies survive a restart, also when all was deleted and compacted",
    run(sql) {
      const store = openStore(sql);
      store.write((txn) => put(txn, "a", "1"));
      store.write((txn) => remove(txn, "a"));
      assert.equal(openStore(sql).revision(), 2);
      store.compact(0, 100);
      const again = openStore(sql);
      assert.equal(again.revision(), 2);
      assert.equal(again.oldestRevision(), 2);
      assert.equal(again.since(1), "expired");
      assert.equal(again.write((txn) => put(txn, "a", "2")).revision, 3);
    },
  },
  { name: "any history: replays, snapshots and pages equal a naive model's", run: storeMatchesModel },
];

const rest: ContractCase[] = [
  {
    name: "work keeps the sooner due time and comes soonest first",
    run(sql) {
      const { work } = openStore(sql);
      work.enqueue({ controller: "a", key: "late", due: 30 });
      work.enqueue({ controller: "a", key: "moved", due: 20 });
      work.enqueue({ controller: "a", key: "moved", due: 10 });
      work.enqueue({ controller: "a", key: "moved", due: 40 });
      work.enqueue({ controller: "b", key: "moved", due: 15 });
      assert.equal(work.nextDue(), 10);
      assert.deepEqual(
        work.due(29, 10).map(({ controller, key }) => `${controller} ${key}`),
        ["a moved", "b moved"],
      );
      assert.equal(work.due(99, 1).length, 1);
      work.done("a", "moved");
      work.done("a", "absent");
      assert.equal(work.nextDue(), 15);
    },
  },
  {
    name: "credentials are found by hash and listed by kind",
    run(sql) {
      const { credentials } = openStore(sql);
      credentials.add({ hash: "h1", kind: "join", subject: "n1", expires: 5 });
      credentials.add({ hash: "h2", kind: "node", subject: "n1", expires: null });
      assert.deepEqual({ ...credentials.find("h2") }, { hash: "h2", kind: "node", subject: "n1", expires: null });
      assert.equal(credentials.list("join").length, 1);
      credentials.remove("h1");
      assert.equal(credentials.find("h1"), undefined);
    },
  },
  {
    name: "settings are replaced and survive a restart",
    run(sql) {
      const store = openStore(sql);
      assert.equal(store.getSetting("id"), undefined);
      store.setSetting("id", "1");
      store.setSetting("id", "2");
      assert.equal(openStore(sql).getSetting("id"), "2");
    },
  },
];

export const STORE_CONTRACT: readonly ContractCase[] = [
  ...objects,
  ...transactions,
  ...log,
  ...rest,
  ...ENCRYPTION,
  ...STAGING,
];
