/** The life of a cluster in an object that sleeps: its memory is thrown away between events, as hibernation does. */
import { expect, test } from "vitest";
import { Host, type HostPlatform } from "./host.ts";
import type { APIService } from "./kinds/apiregistration/api-service.ts";
import type { CoordinationV1Lease, CoreV1Node } from "./kinds/generated/types.ts";
import { administratorToken } from "./lib/administrator.ts";
import { microTimestamp } from "./lib/effects.ts";
import { GRACE_MS } from "./link/readiness.ts";
import { PROTOCOL_VERSION, WIREGUARD_KEY } from "./protocol/link.ts";
import { LOOK } from "./protocol/parse.ts";
import type { Attachment, HostSocket } from "./sockets.ts";
import { nodeSql } from "./storage/node-sql.ts";

const SECRET = "a secret of enough characters";
const START = Date.UTC(2026, 0, 2, 3, 4, 5);

type TestSocket = HostSocket & { open: boolean; answered: number; sent: string[] };

/** The platform of one object: its storage, sockets and alarm outlive every `Host` that `awake` makes. */
function object() {
  const sql = nodeSql(":memory:");
  const state = { now: START, alarm: undefined as number | undefined, statements: 0, alarmsSet: 0 };
  const sockets: { tag: string; socket: TestSocket }[] = [];
  let ids = 0;
  /** Deferred and not done. */
  let soon = 0;

  function socket(): TestSocket {
    let attachment: Attachment;
    return {
      open: true,
      answered: state.now,
      sent: [],
      send(data) {
        this.sent.push(String(data));
      },
      close() {
        this.open = false;
      },
      attachment: () => attachment,
      keep: (kept) => {
        attachment = kept;
      },
      answeredAt() {
        return this.answered;
      },
    };
  }

  const platform: HostPlatform = {
    sql: {
      ...sql,
      all: (...parameters) => {
        state.statements++;
        return sql.all(...parameters);
      },
      run: (...parameters) => {
        state.statements++;
        sql.run(...parameters);
      },
    },
    effects: {
      now: () => state.now,
      random: () => 0.5,
      uid: () => `00000000-0000-4000-8000-${String(ids++).padStart(12, "0")}`,
    },
    certificates: {
      createAuthority: async () => ({ certificate: "CERTIFICATE", key: "KEY" }),
      issueServer: async () => ({ certificate: "CERTIFICATE", key: "KEY" }),
      issueClient: async () => ({ certificate: "CERTIFICATE", key: "KEY" }),
    },
    exclusively: (body) => body(),
    defer(body, ms) {
      if (ms) return void setTimeout(body, ms);
      soon++;
      setImmediate(() => {
        soon--;
        body();
      });
    },
    sockets: (tag) => sockets.filter((s) => s.tag === tag && s.socket.open).map((s) => s.socket),
    accept: (tag) => {
      const made = socket();
      sockets.push({ tag, socket: made });
      return { socket: made, answer: () => new Response(null, { status: 200 }) };
    },
    getAlarm: async () => state.alarm ?? null,
    setAlarm: (at) => {
      state.alarm = at;
      state.alarmsSet++;
    },
  };

  /** The object does not sleep before what it deferred is done. */
  const settled = async () => {
    while (soon > 0) await new Promise(setImmediate);
  };
  const awake = () => new Host(platform, { SKERRY_SECRET: SECRET });

  async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const token = await administratorToken(SECRET, "default");
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const request = new Request(`https://cluster${path}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const response = await awake().fetch(request);
    await settled();
    if (response.status >= 300) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** A node that joins, connects and says that it is well. */
  async function connect(name: string): Promise<TestSocket> {
    const { token } = await ask<{ token: string }>("POST", "/skerry/tokens", { ttlSeconds: 600, replace: true });
    const join = new Request("https://cluster/skerry/join", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token, name }),
    });
    const identity = (await (await awake().fetch(join)).json()) as { token: string };
    await settled();
    const host = awake();
    const headers = { authorization: `Bearer ${identity.token}`, upgrade: "websocket" };
    await host.fetch(new Request(`https://cluster/link/${name}`, { headers }));
    const made = sockets.at(-1)?.socket as TestSocket;
    await host.message(
      made,
      JSON.stringify({ type: "hello", version: PROTOCOL_VERSION, agent: "x", node: name, revision: 0 }),
    );
    await host.message(made, JSON.stringify({ type: "health", ready: true, message: "" }));
    await settled();
    return made;
  }

  async function ready(name: string): Promise<string> {
    const { status } = await ask<CoreV1Node>("GET", `/api/v1/nodes/${name}`);
    return status?.conditions?.find((c) => c.type === "Ready")?.status ?? "";
  }

  /** Time passes; agents that live ping, and the alarm goes off when it is due. */
  async function pass(ms: number, living: readonly TestSocket[]): Promise<void> {
    const end = state.now + ms;
    for (const s of living) s.answered = end;
    while (state.alarm !== undefined && state.alarm <= end) {
      state.now = Math.max(state.now, state.alarm);
      state.alarm = undefined;
      await awake().alarm();
      await settled();
    }
    state.now = end;
  }

  return { state, awake, ask, connect, ready, pass };
}

async function twoNodes() {
  const parts = object();
  for (const name of ["a", "b"]) await parts.ask("POST", "/api/v1/nodes", { metadata: { name } });
  const [a, b] = [await parts.connect("a"), await parts.connect("b")];
  expect([await parts.ready("a"), await parts.ready("b")]).toEqual(["True", "True"]);
  // What controllers had to do about new nodes is over.
  await parts.pass(600_000, [a, b]);
  return { ...parts, a, b };
}

test("a look at nodes that live touches no storage and sets no alarm", async () => {
  const { state, awake, pass, a, b } = await twoNodes();
  const { statements, alarmsSet } = state;
  await awake().message(a, LOOK);
  await pass(60_000, [a, b]);
  await awake().message(b, LOOK);
  expect(state).toMatchObject({ statements, alarmsSet, alarm: undefined });
});

test("a node that falls silent is lost when the grace time is over, though the object forgets all in between", async () => {
  const { awake, pass, ready, a, b } = await twoNodes();
  await pass(30_000, [a]);
  await awake().message(a, LOOK);
  expect(b.open).toBe(false);
  expect(await ready("b")).toBe("True");
  await pass(GRACE_MS - 30_000 + 1, [a]);
  expect(await ready("b")).toBe("Unknown");
  expect(await ready("a")).toBe("True");
});

test("whoever asks first after a long silence sees it at once", async () => {
  const { pass, ready, a } = await twoNodes();
  await pass(3_600_000, [a]);
  expect(await ready("b")).toBe("Unknown");
});

test("a node whose socket closes has the grace time to come back, each time anew", async () => {
  const { awake, connect, pass, ready, a, b } = await twoNodes();
  b.open = false;
  await awake().gone(b);
  await pass(GRACE_MS - 5000, [a]);
  const back = await connect("b");
  await pass(1000, [a, back]);
  back.open = false;
  await awake().gone(back);
  await pass(GRACE_MS - 1000, [a]);
  expect(await ready("b")).toBe("True");
  await pass(1001, [a]);
  expect(await ready("b")).toBe("Unknown");
});

test("nodes that have no socket after the object was moved are lost a grace time later", async () => {
  const { ask, pass, ready, a, b } = await twoNodes();
  a.open = false;
  b.open = false;
  await ask("GET", "/api/v1/namespaces");
  await pass(GRACE_MS + 1, []);
  expect([await ready("a"), await ready("b")]).toEqual(["Unknown", "Unknown"]);
});

test("every node has a Lease that reads as renewed when the node was last heard, and goes with it", async () => {
  const { state, ask, pass, a, b } = await twoNodes();
  const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
  const node = await ask<CoreV1Node>("GET", "/api/v1/nodes/b");
  const lease = await ask<CoordinationV1Lease>("GET", `${leases}/b`);
  expect(lease).toMatchObject({
    metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "b", uid: node.metadata?.uid }] },
    spec: { holderIdentity: "b", leaseDurationSeconds: 40, renewTime: microTimestamp(b.answered) },
  });
  await pass(10_000, [a, b]);
  const { items } = await ask<{ items: CoordinationV1Lease[] }>("GET", leases);
  expect(items.map(({ metadata, spec }) => [metadata?.name, spec?.renewTime, metadata?.resourceVersion])).toEqual([
    ["a", microTimestamp(state.now), expect.any(String)],
    ["b", microTimestamp(state.now), lease.metadata?.resourceVersion],
  ]);
  await ask("DELETE", `${leases}/b`);
  expect(await ask("GET", `${leases}/b`)).toMatchObject({ spec: { holderIdentity: "b" } });
  await ask("DELETE", "/api/v1/nodes/b");
  expect((await ask<{ items: unknown[] }>("GET", leases)).items).toHaveLength(1);
});

test("an extension server that does not answer is asked for five minutes, and then the cluster sleeps", async () => {
  const { state, ask, pass, a, b } = await twoNodes();
  const meta = { name: "shop", namespace: "default" };
  await ask("POST", "/api/v1/namespaces/default/services", { metadata: meta, spec: { ports: [{ port: 443 }] } });
  const subsets = [{ addresses: [{ ip: "10.244.0.9" }], ports: [{ port: 8443 }] }];
  await ask("POST", "/api/v1/namespaces/default/endpoints", { metadata: meta, subsets });
  const apiServices = "/apis/apiregistration.k8s.io/v1/apiservices";
  const spec = { group: "example.com", version: "v1", groupPriorityMinimum: 1, versionPriority: 1, service: meta };
  await ask("POST", apiServices, { metadata: { name: "v1.example.com" }, spec });
  const status = async () => {
    const { status } = await ask<APIService>("GET", `${apiServices}/v1.example.com`);
    return status?.conditions?.map(({ status, reason }) => [status, reason]);
  };
  await pass(60_000, [a, b]);
  expect(await status()).toEqual([["False", "FailedDiscoveryCheck"]]);
  expect(state.alarm).toBeDefined();
  await pass(600_000, [a, b]);
  const { statements, alarmsSet } = state;
  await pass(24 * 3_600_000, [a, b]);
  expect(state).toMatchObject({ statements, alarmsSet, alarm: undefined });
});

test("a node's agent that asks for another's has that one come to its Relay, where both tell keys and it is connected", async () => {
  const cluster = object();
  const node = (name: string, key: string) =>
    cluster.ask("POST", "/api/v1/nodes", { metadata: { name, annotations: { [WIREGUARD_KEY]: key } } });
  for (const name of ["node-a", "node-b", "node-c"]) await node(name, `key of ${name}`);
  await node("node-d", "");
  const socket = await cluster.connect("node-b");
  const meet = (other: string) =>
    cluster.awake().fetch(new Request(`https://cluster/node-a/${other}`, { headers: { "x-skerry-internal": "peer" } }));
  const granted = await meet("node-b");
  const request = { id: expect.any(String), kind: "peer", node: "node-a" };
  expect(await granted.json()).toEqual({ node: "node-b", stream: request });
  const asked = socket.sent.map((text) => JSON.parse(text)).filter(({ type }) => type === "stream");
  expect(asked).toEqual([{ type: "stream", request }]);
  expect((await meet("node-c")).status).toBe(503);
  await cluster.connect("node-d");
  expect((await meet("node-d")).status).toBe(403);
});
