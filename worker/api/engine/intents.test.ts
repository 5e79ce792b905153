import { describe, expect, it } from "vitest";
import { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { Kind } from "../../kinds/kind.ts";
import type { KubeObject } from "../../lib/object.ts";
import { ns, pod, session } from "../testing/session.ts";

const PodKind = Pod as unknown as Kind;
const MapKind = ConfigMap as unknown as Kind;
const by = "replicaset-controller";

describe("what a controller decides", () => {
  it("goes through the same pipeline as what users send", () => {
    const { engine, ok } = session();
    const object = {
      apiVersion: "v1",
      kind: "Pod",
      ...pod("a"),
      metadata: { generateName: "a-", namespace: "default" },
    };
    expect(engine.applyIntent({ do: "create", kind: PodKind, object }, by)).toBeUndefined();
    const [made] = ok("GET", `${ns}/pods`).items;
    expect(made.metadata.name).toMatch(/^a-.{5}$/);
    expect(made.metadata.managedFields[0].manager).toBe("kube-controller-manager");
    expect(made.spec).toMatchObject({ serviceAccountName: "default", priority: 0 });
    expect(object.spec).not.toHaveProperty("serviceAccountName");
  });

  it("is refused as users are", () => {
    const { engine } = session();
    const object = { metadata: { name: "No", namespace: "default" } };
    expect(engine.applyIntent({ do: "create", kind: MapKind, object }, by)?.reason).toBe("Invalid");
    const none = { kind: MapKind, namespace: "default", name: "none", uid: "x" };
    expect(engine.applyIntent({ do: "delete", ...none }, by)?.reason).toBe("NotFound");
  });

  it("is not written over what changed since", () => {
    const { engine, ok } = session();
    const object = { ...ok("POST", `${ns}/configmaps`, { metadata: { name: "a" } }), data: { k: "mine" } };
    ok("PATCH", `${ns}/configmaps/a`, { data: { k: "theirs" } });
    expect(engine.applyIntent({ do: "update", kind: MapKind, object }, by)?.reason).toBe("Conflict");
  });

  it("deletes only the one it looked at", () => {
    const { engine, ok, send } = session();
    const { uid } = ok("POST", `${ns}/pods`, pod("a")).metadata;
    const intent = { do: "delete", kind: PodKind, namespace: "default", name: "a" } as const;
    expect(engine.applyIntent({ ...intent, uid: "another" }, by)?.reason).toBe("Conflict");
    expect(engine.applyIntent({ ...intent, uid }, by)).toBeUndefined();
    expect(send("GET", `${ns}/pods/a`).code).toBe(404);
  });

  it("updates status alone through that endpoint", () => {
    const { engine, ok } = session();
    const object = ok("POST", `${ns}/pods`, pod("a"));
    const status = { ...object.status, phase: "Running" };
    engine.applyIntent({ do: "updateStatus", kind: PodKind, object: { ...object, spec: {}, status } }, by);
    const { spec, status: now } = ok("GET", `${ns}/pods/a`);
    expect([now.phase, spec.containers.length]).toEqual(["Running", 1]);
  });

  it("is done together or not at all", () => {
    const { engine, ok } = session();
    const [a, b] = ["a", "b"].map((name) => ({
      ...ok("POST", `${ns}/configmaps`, { metadata: { name } }),
      data: { k: "" },
    }));
    const update = (object: KubeObject) => ({ do: "update", kind: MapKind, object }) as const;
    const data = () => ok("GET", `${ns}/configmaps`).items.map((map: { data?: object }) => map.data);
    ok("PATCH", `${ns}/configmaps/b`, { data: { k: "theirs" } });
    const before = data();
    expect(engine.applyIntent({ do: "together", intents: [update(a), update(b)] }, by)?.reason).toBe("Conflict");
    expect(data()).toEqual(before);
    const { resourceVersion: _, ...metadata } = b.metadata;
    const intents = [update(a), update({ ...b, metadata })];
    expect(engine.applyIntent({ do: "together", intents }, by)).toBeUndefined();
    expect(data()).toMatchObject([{ k: "" }, { k: "" }]);
  });

  it("binds pods", () => {
    const { engine, ok } = session();
    const { uid } = ok("POST", `${ns}/pods`, pod("a")).metadata;
    const bind = { do: "bind", namespace: "default", name: "a", node: "n" } as const;
    expect(engine.applyIntent({ ...bind, uid: "another" }, "scheduler")?.reason).toBe("Conflict");
    expect(engine.applyIntent({ ...bind, uid }, "scheduler")).toBeUndefined();
    expect(engine.view.onNode(Pod, "n")).toHaveLength(1);
    expect(engine.view.onNode(Pod, "")).toHaveLength(0);
  });
});

describe("events", () => {
  it("that say the same are counted up", () => {
    const { clock, engine, ok } = session();
    const about = ok("POST", `${ns}/pods`, pod("a"));
    const event = { do: "event", about, type: "Warning", reason: "Failed", message: "no" } as const;
    engine.applyIntent(event, by);
    clock.now += 1000;
    engine.applyIntent(event, by);
    engine.applyIntent({ ...event, message: "still no" }, by);
    const { items } = ok("GET", `${ns}/events`);
    expect(
      items.map(({ message, count }: { message: string; count: number }) => `${message} ${count}`).toSorted(),
    ).toEqual(["no 2", "still no 1"]);
    expect(items[0]).toMatchObject({ source: { component: by }, involvedObject: { kind: "Pod", name: "a" } });
  });

  it("go after an hour, a few at a time", () => {
    const { clock, engine, ok } = session();
    const about = ok("POST", `${ns}/pods`, pod("a"));
    for (const message of ["1", "2", "3"])
      engine.applyIntent({ do: "event", about, type: "Normal", reason: "R", message }, by);
    clock.now += 50 * 60_000;
    expect(engine.expireEvents(10)).toBe(false);
    expect(ok("GET", `${ns}/events`).items).toHaveLength(3);
    clock.now += 20 * 60_000;
    expect(engine.expireEvents(2)).toBe(true);
    expect(engine.expireEvents(2)).toBe(false);
    expect(ok("GET", `${ns}/events`).items).toEqual([]);
  });

  it.each([
    [1800, 20, 45],
    [86_400, 60 * 23, 60 * 25],
  ])("are kept as long as the cluster is told to: %d s", (eventTtlSeconds, before, after) => {
    const { clock, engine, ok } = session({ eventTtlSeconds });
    const about = ok("POST", `${ns}/pods`, pod("a"));
    engine.applyIntent({ do: "event", about, type: "Normal", reason: "R", message: "m" }, by);
    const start = clock.now;
    for (const [minutes, left] of [
      [before, 1],
      [after, 0],
    ] as const) {
      clock.now = start + minutes * 60_000;
      engine.expireEvents(10);
      expect(ok("GET", `${ns}/events`).items).toHaveLength(left);
    }
  });
});

describe("the view", () => {
  it("finds dependents and orphans by owner, without looking through all objects", () => {
    const { engine, ok } = session();
    const template = { metadata: { labels: { app: "a" } }, spec: pod("a").spec };
    const { metadata } = ok("POST", "/apis/apps/v1/namespaces/default/replicasets", {
      metadata: { name: "rs" },
      spec: { selector: { matchLabels: { app: "a" } }, template },
    });
    const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "rs", uid: metadata.uid, controller: true };
    ok("POST", `${ns}/pods`, { ...pod("mine"), metadata: { name: "mine", ownerReferences: [owner] } });
    ok("POST", `${ns}/pods`, pod("stray"));
    const names = (pods: readonly { metadata?: { name?: string } }[]) => pods.map((one) => one.metadata?.name);
    expect(names(engine.view.owned(Pod, metadata.uid))).toEqual(["mine"]);
    expect(names(engine.view.owned(Pod, ""))).toEqual(["stray"]);
    expect(engine.view.dependents(metadata.uid).map(({ kind }) => kind.kind)).toEqual(["Pod"]);
    expect(engine.view.get(ReplicaSet, "default", "rs")?.metadata?.uid).toBe(metadata.uid);
  });

  it("gives the same object while it is not written, and never one that was rolled back", () => {
    const { engine, ok, send, store } = session();
    ok("POST", `${ns}/configmaps`, { metadata: { name: "a" } });
    const first = engine.view.get(ConfigMap, "default", "a");
    expect(engine.view.get(ConfigMap, "default", "a")).toBe(first);
    expect(() =>
      store.write(() => {
        send("PATCH", `${ns}/configmaps/a`, { data: { k: "rolled back" } });
        expect(engine.view.get(ConfigMap, "default", "a")?.data).toEqual({ k: "rolled back" });
        throw new Error("roll back");
      }),
    ).toThrow("roll back");
    ok("PATCH", `${ns}/configmaps/a`, { data: { k: "kept" } });
    expect(engine.view.get(ConfigMap, "default", "a")?.data).toEqual({ k: "kept" });
  });
});
