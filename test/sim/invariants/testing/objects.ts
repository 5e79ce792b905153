import { type Cases, controlledBy, GOING, type Tale } from "./tale.ts";

const DEPLOYMENTS = "deployments.apps";
const HOLD = "sim.skerry.dev/hold";

/** What lives says that it has. */
const alive = (tale: Tale, ...objects: object[]) => {
  tale.living = { revision: () => tale.revision, resources: () => ["configmaps"], objects: () => objects };
};

function owned(tale: Tale, finalizers: string[] = []) {
  const owner = tale.put(DEPLOYMENTS, "ns/d", { metadata: { finalizers } });
  tale.put("configmaps", "ns/c", { metadata: controlledBy("Deployment", owner) });
  return owner;
}

const foreground = (tale: Tale) => {
  owned(tale);
  tale.put(DEPLOYMENTS, "ns/d", { metadata: { ...GOING, finalizers: ["foregroundDeletion"] } });
};

export const objectCases: Cases = {
  "revisions-grow": {
    good: { "one after the other": (tale) => void [tale.put("configmaps", "ns/a"), tale.put("configmaps", "ns/a")] },
    bad: {
      "one used twice": (tale) => {
        tale.put("configmaps", "ns/a");
        tale.revision = 0;
        tale.put("configmaps", "ns/b");
      },
      "an object that says another": (tale) => {
        tale.commits({
          resource: "configmaps",
          namespace: "ns",
          name: "a",
          uid: "u",
          revision: 1,
          type: "ADDED",
          json: '{"metadata":{"resourceVersion":"2"}}',
          previous: undefined,
        });
      },
    },
  },
  "no-storms": {
    good: {
      "much, but not at once": (tale) => {
        for (let count = 0; count < 4000; count++) tale.put("configmaps", "ns/a");
      },
    },
    bad: {
      "a write that brings on the next": (tale) => {
        for (let count = 0; count < 4000; count++) {
          tale.put("configmaps", "ns/a");
          tale.at -= 1000;
        }
      },
    },
  },
  "commits-follow-each-other": {
    good: {
      "one made, changed and removed": (tale) =>
        void [tale.put("configmaps", "ns/a"), tale.put("configmaps", "ns/a"), tale.drop("configmaps", "ns/a")],
    },
    bad: {
      "one made twice": (tale) => {
        const { metadata } = tale.put("configmaps", "ns/a");
        tale.commits({
          resource: "configmaps",
          namespace: "ns",
          name: "a",
          uid: metadata.uid ?? "",
          revision: 2,
          type: "ADDED",
          json: "{}",
          previous: undefined,
        });
      },
      "one that becomes another": (tale) => {
        tale.put("configmaps", "ns/a");
        tale.put("configmaps", "ns/a", { metadata: { uid: "other" } });
      },
    },
  },
  "storage-follows-commits": {
    good: {
      "the same in storage and in memory": (tale) => {
        alive(tale, tale.put("configmaps", "ns/a"));
        tale.sees({ type: "rebuilt", why: "a test", died: true });
        tale.rests();
      },
    },
    bad: {
      "an object that storage lost": (tale) => {
        tale.put("configmaps", "ns/a");
        tale.stored = [];
        tale.sees({ type: "rebuilt", why: "a test", died: true });
      },
      "an object that storage lost while it slept": (tale) => {
        tale.put("configmaps", "ns/a");
        tale.stored = [];
        tale.sees({ type: "rebuilt", why: "it slept", died: false });
      },
      "a new object that was stored otherwise": (tale) => {
        tale.put("configmaps", "ns/a");
        tale.stored = [{ resource: "configmaps", namespace: "ns", name: "a", uid: "a-1", revision: 1, json: "{}" }];
        tale.sees({ type: "rebuilt", why: "it slept", died: false });
      },
      "an object that storage has of another time": (tale) => {
        tale.put("configmaps", "ns/a");
        const [stored] = [{ resource: "configmaps", namespace: "ns", name: "a", uid: "a-1", revision: 9, json: "{}" }];
        tale.stored = stored ? [stored] : [];
        tale.rests();
      },
      "an object that was changed in memory": (tale) => {
        alive(tale, { ...tale.put("configmaps", "ns/a"), data: {} });
        tale.rests();
      },
      "an object that memory lacks": (tale) => {
        tale.put("configmaps", "ns/a");
        alive(tale);
        tale.sees({ type: "rebuilt", why: "a test", died: true });
      },
    },
  },
  "indexes-follow-objects": {
    good: { "what objects say": (tale) => void [owned(tale), tale.put("pods", "ns/p"), tale.rests()] },
    bad: {
      "a term of no object": (tale) => {
        tale.put("configmaps", "ns/a");
        tale.refs = [{ ref: "owner=u", resource: "configmaps", namespace: "ns", name: "a" }];
        tale.rests();
      },
      "an owner that finds nothing": (tale) => {
        owned(tale);
        tale.refs = [];
        tale.sees({ type: "rebuilt", why: "a test", died: true });
      },
    },
  },
  "storage-is-bounded": {
    good: { "a few rows": (tale) => void [tale.put("configmaps", "ns/a"), tale.rests()] },
    bad: {
      "a queue without end": (tale) => {
        tale.storage = { ...tale.storage, work: 1000 };
        tale.put("configmaps", "ns/a");
      },
      "a log that begins too late": (tale) => {
        tale.put("configmaps", "ns/a");
        tale.storage = { ...tale.storage, horizon: 1 };
        tale.rests();
      },
      "a log without end": (tale) => {
        tale.storage = { ...tale.storage, changes: 10_000 };
        tale.rests();
      },
    },
  },
  "metadata-lasts": {
    good: {
      "a generation that follows the spec": (tale) => {
        tale.put(DEPLOYMENTS, "ns/d", { metadata: { generation: 1 }, spec: { replicas: 1 } });
        tale.put(DEPLOYMENTS, "ns/d", { metadata: { generation: 2 }, spec: { replicas: 2 } });
        tale.put(DEPLOYMENTS, "ns/d", { status: { replicas: 2 } });
        tale.put(DEPLOYMENTS, "ns/d", { metadata: { ...GOING, generation: 3 } });
      },
    },
    bad: {
      "a spec without a generation": (tale) => {
        tale.put(DEPLOYMENTS, "ns/d", { metadata: { generation: 1 }, spec: { replicas: 1 } });
        tale.put(DEPLOYMENTS, "ns/d", { spec: { replicas: 2 } });
      },
      "a generation without a spec": (tale) => {
        tale.put(DEPLOYMENTS, "ns/d", { metadata: { generation: 1 } });
        tale.put(DEPLOYMENTS, "ns/d", { metadata: { generation: 2 } });
      },
      "a deletion that is called off": (tale) => {
        tale.put("configmaps", "ns/a", { metadata: GOING });
        tale.put("configmaps", "ns/a", { metadata: { deletionTimestamp: undefined } });
      },
      "a deletion that is put off": (tale) => {
        tale.put("configmaps", "ns/a", { metadata: GOING });
        tale.put("configmaps", "ns/a", { metadata: { deletionTimestamp: "2024-11-14T23:00:00Z" } });
      },
      "a finalizer that comes late": (tale) => {
        tale.put("configmaps", "ns/a", { metadata: GOING });
        tale.put("configmaps", "ns/a", { metadata: { finalizers: [HOLD] } });
      },
      "another time of creation": (tale) => {
        tale.put("configmaps", "ns/a");
        tale.put("configmaps", "ns/a", { metadata: { creationTimestamp: "2024-11-14T23:00:00Z" } });
      },
    },
  },
  "finalizers-hold": {
    good: {
      "one that its client takes off": (tale) => {
        tale.put("configmaps", "ns/a", { metadata: { ...GOING, finalizers: [HOLD] } });
        tale.asks("PATCH", "/api/v1/namespaces/ns/configmaps/a", {});
        tale.drop("configmaps", "ns/a");
      },
    },
    bad: {
      "one that nobody takes off": (tale) => {
        tale.put("configmaps", "ns/a", { metadata: { ...GOING, finalizers: [HOLD] } });
        tale.drop("configmaps", "ns/a");
      },
    },
  },
  "ends-are-final": {
    good: {
      "a pod that ends": (tale) =>
        void [
          tale.put("pods", "ns/p", { status: { phase: "Running" } }),
          tale.put("pods", "ns/p", { status: { phase: "Failed" } }),
        ],
    },
    bad: {
      "a pod that rises": (tale) => {
        tale.put("pods", "ns/p", { status: { phase: "Failed" } });
        tale.put("pods", "ns/p", { status: { phase: "Running" } });
      },
      "a Job that begins again": (tale) => {
        tale.put("jobs.batch", "ns/j", { status: { conditions: [{ type: "Complete", status: "True" }] } });
        tale.put("jobs.batch", "ns/j", { status: { conditions: [] } });
      },
    },
  },
  "namespaces-empty-first": {
    good: {
      "one that empties": (tale) => {
        tale.put("namespaces", "/ns");
        tale.put("configmaps", "ns/a");
        tale.put("namespaces", "/ns", { metadata: GOING });
        tale.drop("configmaps", "ns/a");
        tale.drop("namespaces", "/ns");
      },
    },
    bad: {
      "one that goes full": (tale) => {
        tale.put("namespaces", "/ns");
        tale.put("configmaps", "ns/a");
        tale.drop("namespaces", "/ns");
      },
      "something made in one that goes": (tale) => {
        tale.put("namespaces", "/ns", { metadata: GOING });
        tale.put("configmaps", "ns/a");
      },
      "something made in none": (tale) => void tale.put("configmaps", "ns/a"),
    },
  },
  "no-premature-collection": {
    good: {
      "what is left behind": (tale) => {
        owned(tale);
        tale.drop(DEPLOYMENTS, "ns/d");
        tale.drop("configmaps", "ns/c");
      },
      "what an owner waits for": (tale) => {
        foreground(tale);
        tale.drop("configmaps", "ns/c");
      },
      "an empty set": (tale) => {
        const owner = tale.put(DEPLOYMENTS, "ns/d");
        tale.put("replicasets.apps", "ns/s", { metadata: controlledBy("Deployment", owner), spec: { replicas: 0 } });
        tale.drop("replicasets.apps", "ns/s");
      },
    },
    bad: {
      "what an owner holds": (tale) => {
        owned(tale);
        tale.drop("configmaps", "ns/c");
      },
      "a set with pods": (tale) => {
        const owner = tale.put(DEPLOYMENTS, "ns/d");
        tale.put("replicasets.apps", "ns/s", { metadata: controlledBy("Deployment", owner), spec: { replicas: 1 } });
        tale.drop("replicasets.apps", "ns/s");
      },
    },
  },
  "dependents-first": {
    good: {
      "a dependent that goes first": (tale) => {
        foreground(tale);
        tale.drop("configmaps", "ns/c");
        tale.drop(DEPLOYMENTS, "ns/d");
      },
    },
    bad: {
      "an owner that does not wait": (tale) => {
        foreground(tale);
        tale.drop(DEPLOYMENTS, "ns/d");
      },
      "an orphan that was not let go of": (tale) => {
        owned(tale, ["orphan"]);
        tale.put(DEPLOYMENTS, "ns/d", { metadata: { finalizers: [] } });
      },
    },
  },
  "no-orphans": {
    good: { "one that is owned": (tale) => void [owned(tale), tale.rests()] },
    bad: {
      "one that is left": (tale) => {
        owned(tale);
        tale.drop(DEPLOYMENTS, "ns/d");
        tale.rests();
      },
    },
  },
};
