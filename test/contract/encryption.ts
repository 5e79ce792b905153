/** What is promised of a store that encrypts, likewise. */
import assert from "node:assert/strict";
import type { Encryption } from "../../worker/storage/encryption/data-keys.ts";
import { openStore } from "../../worker/storage/sqlite-store.ts";
import type { Reader, Sql, Store } from "../../worker/storage/store.ts";
import type { ContractCase } from "./store.ts";

const FIRST = "the first secret of the deployment";
const SECOND = "the second secret of the deployment";
const encryption = (...secrets: string[]): Encryption => ({ secrets, resources: ["secrets"], settings: ["key"] });
const MARK = "mark-of-what-nobody-may-read";

const SECRETS = { resource: "secrets", namespace: "default" };
const secret = (name: string) => ({ ...SECRETS, name });

function put(store: Store, name: string, text: string, resource = "secrets"): void {
  store.write((txn) => {
    const revision = txn.nextRevision();
    const json = JSON.stringify({ text, metadata: { resourceVersion: `${revision}` } });
    txn.put({ ...secret(name), resource, uid: `uid-${name}`, revision, json }, ["owner=1"]);
  });
}

function remove(store: Store, name: string): void {
  store.write((txn) => {
    const revision = txn.nextRevision();
    txn.remove({ ...secret(name), uid: `uid-${name}`, revision, json: JSON.stringify({ text: MARK }) });
  });
}

/** How many rows of any table hold the mark. */
function marked(sql: Sql): number {
  const tables = { objects: "json", changes: "json", settings: "value", work: "key" };
  return Object.entries(tables).reduce((sum, [table, column]) => {
    const where = `instr(CAST(${column} AS BLOB), CAST(? AS BLOB)) > 0`;
    return sum + (sql.all<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table} WHERE ${where}`, MARK)[0]?.n ?? 0);
  }, 0);
}

function rewriteAll(store: Store, rows: number): number {
  for (let steps = 1; ; steps++) if (!store.rewrite(rows)) return steps;
}

const textsOf = (store: Reader) => store.list(SECRETS).items.map(({ json }) => JSON.parse(json).text as string);

export const ENCRYPTION: ContractCase[] = [
  {
    name: "what is encrypted lies nowhere in the clear, and reads as it was written",
    run(sql) {
      const store = openStore(sql, encryption(FIRST));
      rewriteAll(store, 10);
      put(store, "a", MARK);
      put(store, "a", `${MARK} again ☃`);
      put(store, "b", MARK);
      remove(store, "b");
      store.setSetting("key", MARK);
      assert.equal(marked(sql), 0);
      put(store, "plain", MARK, "configmaps");
      assert.equal(marked(sql), 2);

      const again = openStore(sql, encryption(FIRST));
      assert.deepEqual(textsOf(again), [`${MARK} again ☃`]);
      assert.equal(JSON.parse(again.get(secret("a"))?.json ?? "").text, `${MARK} again ☃`);
      assert.equal(again.byRef("owner=1", "secrets").length, 1);
      assert.equal(again.getSetting("key"), MARK);
      assert.equal(again.listText(SECRETS, "{"), undefined);
      const past = again.list(SECRETS, { at: 3 });
      assert.deepEqual(past === "expired" ? past : past.items.map(({ json }) => JSON.parse(json).text), [
        `${MARK} again ☃`,
        MARK,
      ]);
      const changes = again.since(0);
      assert.deepEqual(
        changes === "expired"
          ? []
          : [...changes].map(({ type, name, previous }) => [type, name, previous !== undefined]),
        [
          ["ADDED", "a", false],
          ["MODIFIED", "a", true],
          ["ADDED", "b", false],
          ["DELETED", "b", true],
          ["ADDED", "plain", false],
        ],
      );
    },
  },
  {
    name: "what lay there in the clear is encrypted in steps, the log and settings too",
    run(sql) {
      const plain = openStore(sql);
      for (let n = 0; n < 25; n++) put(plain, `s-${n}`, MARK);
      put(plain, "s-0", `${MARK} again`);
      plain.setSetting("key", MARK);
      assert.equal(marked(sql), 25 + 26 + 1);
      const store = openStore(sql, encryption(FIRST));
      assert.equal(textsOf(store).length, 25);
      assert.ok(rewriteAll(store, 4) > 10);
      assert.equal(marked(sql), 0);
      assert.equal(store.rewrite(4), false);
      const again = openStore(sql, encryption(FIRST));
      assert.deepEqual(textsOf(again).slice(0, 2), [`${MARK} again`, MARK]);
      assert.equal(again.getSetting("key"), MARK);
      assert.equal(again.revision(), 26);
    },
  },
  {
    name: "a new secret takes over in steps, interrupted at any of them, and then the former is not needed",
    run(sql) {
      const store = openStore(sql, encryption(FIRST));
      rewriteAll(store, 10);
      for (let n = 0; n < 9; n++) put(store, `s-${n}`, MARK);
      store.setSetting("key", MARK);
      for (let interrupted = 0; interrupted < 3; interrupted++) {
        const turned = openStore(sql, encryption(SECOND, FIRST));
        assert.deepEqual(turned.keys?.list(), [
          { id: 2, secret: "present" },
          { id: 1, secret: "former" },
        ]);
        assert.equal(turned.rewrite(2), true);
        assert.equal(textsOf(turned).length, 9);
      }
      assert.throws(() => openStore(sql, encryption(SECOND)), /former secret[\s\S]*line of its own below/);
      const turned = openStore(sql, encryption(SECOND, FIRST));
      put(turned, "new", MARK);
      rewriteAll(turned, 2);
      assert.deepEqual(turned.keys?.list(), [{ id: 2, secret: "present" }]);
      const alone = openStore(sql, encryption(SECOND));
      assert.equal(textsOf(alone).length, 10);
      assert.equal(alone.getSetting("key"), MARK);
      assert.throws(() => openStore(sql, encryption(FIRST)), /503|former secret/);
    },
  },
  {
    name: "a new key under the same secret writes all anew",
    run(sql) {
      const store = openStore(sql, encryption(FIRST));
      rewriteAll(store, 10);
      put(store, "a", MARK);
      const before = sql.all<{ text: string }>("SELECT hex(json) AS text FROM objects")[0]?.text;
      store.keys?.rotate();
      assert.equal(store.keys?.isRewriting, true);
      rewriteAll(store, 10);
      assert.deepEqual(store.keys?.list(), [{ id: 2, secret: "present" }]);
      assert.notEqual(sql.all<{ text: string }>("SELECT hex(json) AS text FROM objects")[0]?.text, before);
      assert.deepEqual(textsOf(openStore(sql, encryption(FIRST))), [MARK]);
    },
  },
  {
    name: "a revision that was given back is read as what has it then",
    run(sql) {
      const store = openStore(sql, encryption(FIRST));
      put(store, "a", "first");
      assert.throws(() =>
        store.write((txn) => {
          txn.put({ ...secret("a"), uid: "uid-a", revision: txn.nextRevision(), json: '{"text":"undone"}' }, []);
          assert.deepEqual(textsOf(txn), ["undone"]);
          throw new Error("undone");
        }),
      );
      assert.deepEqual(textsOf(store), ["first"]);
      put(store, "a", "second");
      assert.equal(store.revision(), 2);
      assert.deepEqual([textsOf(store), textsOf(store)], [["second"], ["second"]]);
    },
  },
  {
    name: "what is moved to another object, or put back over a newer version, does not open",
    run(sql) {
      const store = openStore(sql, encryption(FIRST));
      put(store, "a", "of a");
      put(store, "b", "of b");
      sql.run("UPDATE objects SET json = (SELECT json FROM changes WHERE name = 'a') WHERE name = 'b'");
      assert.throws(() => openStore(sql, encryption(FIRST)).get(secret("b")), /secrets\/default\/b@2 cannot be opened/);
      put(store, "a", "newer");
      sql.run("UPDATE objects SET json = (SELECT json FROM changes WHERE revision = 1) WHERE name = 'a'");
      assert.throws(() => openStore(sql, encryption(FIRST)).get(secret("a")), /cannot be opened/);
    },
  },
];
