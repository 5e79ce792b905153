/** What agents of other releases hear of NetworkPolicies, and one that was away. */
import { expect, test } from "vitest";
import type { NodeChange } from "../../worker/protocol/link.ts";
import { POLICY_PEERS, POLICY_RULES } from "../../worker/protocol/policies.ts";
import { clusterObject, type KeptSocket } from "../support/cluster-object.ts";

type Message = {
  type: string;
  revision?: number;
  told?: string;
  objects?: NodeChange[];
  changes?: NodeChange[];
};

const pod = (name: string, node: string) => ({
  metadata: { name, labels: { app: name } },
  spec: { nodeName: node, containers: [{ name: "c", image: "busybox" }] },
});

const POLICY = {
  metadata: { name: "p" },
  spec: {
    podSelector: { matchLabels: { app: "web" } },
    policyTypes: ["Ingress"],
    ingress: [{ from: [{ podSelector: { matchLabels: { app: "client" } } }] }],
  },
};

async function cluster() {
  const object = clusterObject();
  const PODS = "/api/v1/namespaces/default/pods";
  const { token } = await object.ask<{ token: string }>("POST", "/skerry/tokens", { ttlSeconds: 600 });
  const joined = await object.ask<{ token: string }>("POST", "/skerry/join", { token, name: "a" });
  await object.settled();
  await object
    .ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } })
    .catch(() => {});
  for (const name of ["a", "b"]) await object.ask("POST", "/api/v1/nodes", { metadata: { name } });

  async function hello(version: number, revision = 0, told = ""): Promise<KeptSocket> {
    const headers = { authorization: `Bearer ${joined.token}`, upgrade: "websocket" };
    await object.host().fetch(new Request("https://cluster/link/a", { headers }));
    const socket = object.sockets.at(-1) as KeptSocket;
    const said = { type: "hello", version, agent: "x", node: "a", revision, told };
    await object.host().message(socket, JSON.stringify(said));
    await object.settled();
    return socket;
  }

  /** An address for a pod that stands for one that runs. */
  async function runs(name: string, node: string, podIP: string): Promise<void> {
    await object.ask("POST", PODS, pod(name, node));
    const { metadata } = await object.ask<{ metadata: object }>("GET", `${PODS}/${name}`);
    const status = { phase: "Running", podIP, podIPs: [{ ip: podIP }] };
    await object.ask("PUT", `${PODS}/${name}/status`, { ...pod(name, node), metadata, status });
    await object.settled();
  }
  const allow = () => object.ask("POST", "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies", POLICY);
  return { object, hello, runs, allow };
}

const messages = (socket: KeptSocket) => socket.sent.map((text) => JSON.parse(text) as Message);

/** The last word on each part of a policy. */
function heard(socket: KeptSocket): string[] {
  const last = new Map<string, string>();
  for (const { objects = [], changes = [] } of messages(socket))
    for (const { resource, namespace, name, object } of [...objects, ...changes])
      if (resource === POLICY_RULES || resource === POLICY_PEERS)
        last.set(`${namespace}/${name}`, object ? ((object.members as string[])?.join() ?? "rules") : "gone");
  return [...last].map((pair) => pair.join(": ")).sort();
}

test("an agent of protocol 3 hears nothing of them, and one of 4 all that concerns its pods", async () => {
  for (const version of [3, 4]) {
    const { object, hello, runs, allow } = await cluster();
    const socket = await hello(version);
    await runs("web", "a", "10.0.0.2");
    await allow();
    await runs("client", "b", "10.0.1.2");
    await object.settled();
    expect(heard(socket)).toEqual(version === 3 ? [] : ["b/default {app=client}: 10.0.1.2", "default/p: rules"]);
  }
});

test("one that was away hears of pods that came elsewhere, also from a cluster that slept", async () => {
  const { object, hello, runs, allow } = await cluster();
  await runs("web", "a", "10.0.0.2");
  await allow();
  const first = await hello(4);
  const { told = "" } = messages(first).find(({ type }) => type === "welcome") ?? {};
  const revision = Math.max(...messages(first).map(({ revision: reached = 0 }) => reached));
  expect(heard(first)).toEqual(["default/p: rules"]);
  first.close(1000, "");
  await object.host().gone(first);
  await runs("client", "b", "10.0.1.2");
  object.sleep();
  const second = await hello(4, revision, told);
  expect(messages(second).map(({ type }) => type)).toEqual(["welcome", "changes"]);
  expect(heard(second)).toEqual(["b/default {app=client}: 10.0.1.2"]);
});
