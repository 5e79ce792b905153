import { marked } from "../marker.ts";
import type { Cases, Tale } from "./tale.ts";

const PATH = "/api/v1/namespaces/ns/configmaps";
const mark = (write: string) => marked({}, { client: "alice", write });

/** A write that is done as it was asked for. */
function written(tale: Tale, write: string) {
  const answer = tale.asks("PUT", `${PATH}/c`, mark(write));
  const object = tale.put("configmaps", "ns/c", mark(write));
  return { answer, object };
}

function watched(
  tale: Tale,
  from: string,
  more = {},
): (event: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK", object: object) => void {
  tale.sees({ type: "watch-opened", watch: 1, resource: "configmaps", namespace: undefined, from, ...more });
  return (event, object) => tale.sees({ type: "watch-event", watch: 1, event, object });
}

const bookmark = (revision: number) => ({ metadata: { resourceVersion: String(revision) } });
const list = (revision: number, ...items: object[]) => ({ metadata: { resourceVersion: String(revision) }, items });

export const writeCases: Cases = {
  "acknowledged-writes-stay": {
    good: {
      "a write that is committed": (tale) => {
        const { answer, object } = written(tale, "1");
        answer(200, object);
      },
      "a deletion that begins": (tale) => {
        tale.put("configmaps", "ns/c");
        const answer = tale.asks("DELETE", `${PATH}/c`);
        tale.put("configmaps", "ns/c", { metadata: { deletionTimestamp: "2023-11-14T23:00:00Z" } });
        answer(200, { kind: "Status" });
      },
      "the last finalizer's end": (tale) => {
        const object = tale.put("configmaps", "ns/c", { metadata: { deletionTimestamp: "2023-11-14T23:00:00Z" } });
        const answer = tale.asks("PATCH", `${PATH}/c`, mark("1"));
        tale.drop("configmaps", "ns/c");
        answer(200, object);
      },
    },
    bad: {
      "an answer without a commit": (tale) => {
        const { object } = written(tale, "1");
        const answer = tale.asks("PUT", `${PATH}/c`, mark("2"));
        answer(200, { ...object, metadata: { ...object.metadata, resourceVersion: "7" } });
      },
      "an answer with a commit of something else": (tale) => {
        const { object } = written(tale, "1");
        tale.asks("PUT", `${PATH}/c`, mark("2"))(200, object);
      },
      "a deletion of what lives on": (tale) => {
        tale.put("configmaps", "ns/c");
        tale.asks("DELETE", `${PATH}/c`)(200, { kind: "Status" });
      },
      "an eviction of what lives on": (tale) => {
        tale.put("pods", "ns/p");
        tale.asks("POST", "/api/v1/namespaces/ns/pods/p/eviction", {})(201, { kind: "Status" });
      },
    },
  },
  "updates-follow-what-was-read": {
    good: {
      "an update of the newest": (tale) => {
        const read = tale.put("configmaps", "ns/c");
        const answer = tale.asks("PUT", `${PATH}/c`, read);
        answer(200, tale.put("configmaps", "ns/c", { data: {} }));
      },
    },
    bad: {
      "an update over another": (tale) => {
        const read = tale.put("configmaps", "ns/c");
        tale.put("configmaps", "ns/c", { data: { a: "b" } });
        const answer = tale.asks("PUT", `${PATH}/c`, read);
        answer(200, tale.put("configmaps", "ns/c", { data: {} }));
      },
    },
  },
  "refused-writes-leave-nothing": {
    good: {
      "a refusal": (tale) => {
        const { answer, object } = written(tale, "1");
        answer(200, object);
        tale.asks("PUT", `${PATH}/c`, mark("2"))(409, { kind: "Status" });
        tale.put("configmaps", "ns/c", { data: { a: "b" } });
      },
      "trouble of the server's own": (tale) => written(tale, "1").answer(500, { kind: "Status" }),
    },
    bad: {
      "a refusal of what was done": (tale) => written(tale, "1").answer(409, { kind: "Status" }),
      "a refusal of what is done later": (tale) => {
        tale.asks("PUT", `${PATH}/c`, mark("1"))(409, { kind: "Status" });
        tale.put("configmaps", "ns/c", mark("1"));
      },
      "a trial that is done": (tale) => {
        const answer = tale.asks("PUT", `${PATH}/c?dryRun=All`, mark("1"));
        const object = tale.put("configmaps", "ns/c", mark("1"));
        answer(200, object);
      },
    },
  },
  "only-durable-is-told": {
    good: {
      "what is committed": (tale) => {
        const { answer, object } = written(tale, "1");
        answer(200, object);
        watched(tale, "0")("ADDED", object);
      },
    },
    bad: {
      "an answer before its commit": (tale) => tale.asks("PUT", `${PATH}/c`, mark("1"))(200, bookmark(1)),
      "an item of a list before its commit": (tale) => tale.asks("GET", PATH)(200, list(0, bookmark(1))),
      "an event before its commit": (tale) => watched(tale, "0")("ADDED", bookmark(1)),
    },
  },
  "nothing-vanishes-unasked": {
    good: {
      "what a client deletes": (tale) => {
        tale.put("configmaps", "ns/c", mark("1"));
        tale.asks("DELETE", `${PATH}/c`);
        tale.drop("configmaps", "ns/c");
      },
      "what goes with its namespace": (tale) => {
        tale.put("namespaces", "/ns");
        tale.put("configmaps", "ns/c", mark("1"));
        tale.put("namespaces", "/ns", { metadata: { deletionTimestamp: "2023-11-14T23:00:00Z" } });
        tale.drop("configmaps", "ns/c");
      },
    },
    bad: {
      "what nobody deletes": (tale) => {
        tale.put("configmaps", "ns/c", mark("1"));
        tale.drop("configmaps", "ns/c");
      },
    },
  },
  "lists-are-snapshots": {
    good: {
      "a list of now and one of then": (tale) => {
        const first = tale.put("configmaps", "ns/a");
        const then = tale.asks("GET", `${PATH}?resourceVersion=1`);
        const second = tale.put("configmaps", "ns/b");
        tale.asks("GET", PATH)(200, list(2, first, second));
        then(200, list(1, first));
      },
    },
    bad: {
      "a list that lacks something": (tale) => {
        tale.put("configmaps", "ns/a");
        tale.asks("GET", PATH)(200, list(1));
      },
      "a list that has what is gone": (tale) => {
        const object = tale.put("configmaps", "ns/a");
        tale.drop("configmaps", "ns/a");
        tale.asks("GET", PATH)(200, list(2, object));
      },
      "a list that is old": (tale) => {
        const object = tale.put("configmaps", "ns/a");
        tale.put("configmaps", "ns/b");
        tale.asks("GET", PATH)(200, list(1, object));
      },
    },
  },
  "reads-are-fresh": {
    good: {
      "any state since the question": (tale) => {
        const first = tale.put("configmaps", "ns/a");
        const early = tale.asks("GET", `${PATH}/a`);
        const second = tale.put("configmaps", "ns/a", { data: {} });
        const late = tale.asks("GET", `${PATH}/a`);
        early(200, first);
        late(200, second);
        const gone = tale.asks("GET", `${PATH}/a`);
        tale.drop("configmaps", "ns/a");
        gone(404, { kind: "Status" });
      },
    },
    bad: {
      "a state from before the question": (tale) => {
        const first = tale.put("configmaps", "ns/a");
        tale.put("configmaps", "ns/a", { data: {} });
        tale.asks("GET", `${PATH}/a`)(200, first);
      },
      "nothing where something is": (tale) => {
        tale.put("configmaps", "ns/a");
        tale.asks("GET", `${PATH}/a`)(404, { kind: "Status" });
      },
    },
  },
  "watches-tell-all": {
    good: {
      "every change after a revision, to one selection": (tale) => {
        tale.put("configmaps", "ns/old");
        const tell = watched(tale, "1", { labelSelector: "app=web" });
        tale.put("configmaps", "ns/other");
        tell("ADDED", tale.put("configmaps", "ns/a", { metadata: { labels: { app: "web" } } }));
        tell("BOOKMARK", bookmark(3));
        const out = tale.put("configmaps", "ns/a", { metadata: { labels: {} } });
        tell("DELETED", { ...out, metadata: { ...out.metadata, labels: { app: "web" } } });
        tale.rests();
      },
      "what there was, then what came": (tale) => {
        const object = tale.put("configmaps", "ns/a");
        const tell = watched(tale, "0");
        tell("ADDED", object);
        tell("BOOKMARK", bookmark(1));
        tale.drop("configmaps", "ns/a");
        tell("DELETED", { ...object, metadata: { ...object.metadata, resourceVersion: "2" } });
        tale.rests();
      },
      "an end where the log ends": (tale) => {
        tale.put("configmaps", "ns/a");
        watched(tale, "1");
        tale.storage = { ...tale.storage, horizon: 5 };
        tale.sees({ type: "watch-event", watch: 1, event: "ERROR", object: { code: 410 } as object });
      },
    },
    bad: {
      "a change left out": (tale) => {
        const tell = watched(tale, "0");
        tale.put("configmaps", "ns/a");
        tell("BOOKMARK", bookmark(1));
      },
      "a change left out after a revision": (tale) => {
        tale.put("configmaps", "ns/old");
        const tell = watched(tale, "1");
        tale.put("configmaps", "ns/a");
        tell("ADDED", tale.put("configmaps", "ns/b"));
      },
      "a change told twice": (tale) => {
        const object = tale.put("configmaps", "ns/old");
        watched(tale, "1")("ADDED", object);
      },
      "a change never told": (tale) => {
        tale.put("configmaps", "ns/old");
        watched(tale, "1");
        tale.put("configmaps", "ns/a");
        tale.rests();
      },
      "another type": (tale) => {
        tale.put("configmaps", "ns/old");
        const tell = watched(tale, "1");
        tell("MODIFIED", tale.put("configmaps", "ns/a"));
      },
      "another body": (tale) => {
        tale.put("configmaps", "ns/old");
        const tell = watched(tale, "1");
        tell("ADDED", { ...tale.put("configmaps", "ns/a"), data: {} });
      },
      "a bookmark ahead of what was told": (tale) => {
        tale.put("configmaps", "ns/old");
        const tell = watched(tale, "1");
        tale.put("configmaps", "ns/a");
        tell("BOOKMARK", bookmark(2));
      },
      "an end for no reason": (tale) => {
        tale.put("configmaps", "ns/a");
        watched(tale, "1");
        tale.sees({ type: "watch-event", watch: 1, event: "ERROR", object: { code: 410 } as object });
      },
      "an object that stays though it is gone": (tale) => {
        const object = tale.put("configmaps", "ns/a");
        watched(tale, "0")("ADDED", object);
        tale.drop("configmaps", "ns/a");
        tale.rests();
      },
    },
  },
};
