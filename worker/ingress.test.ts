/** What the Cluster object says of requests that may be for apps. */
import { beforeEach, describe, expect, test } from "vitest";
import { type ClusterObject, clusterObject } from "../test/support/cluster-object.ts";
import { SCOPE_ANNOTATION } from "./kinds/ingress/class.ts";
import { INTERNAL_HEADER } from "./lib/internal-headers.ts";
import type { EdgeAnswer, EdgeQuestion } from "./protocol/ingress.ts";
import { PROTOCOL_VERSION } from "./protocol/link.ts";

const HOST = "app.example.com";
const INGRESSES = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
const SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const SERVICES = "/api/v1/namespaces/default/services";

let cluster: ClusterObject;

async function ask(question: Partial<EdgeQuestion> = {}, authorization = ""): Promise<EdgeAnswer> {
  const body = JSON.stringify({
    host: HOST,
    path: "/",
    isSecure: true,
    tried: [],
    waitedMs: 0,
    isPage: false,
    ...question,
  });
  const headers = { [INTERNAL_HEADER]: "ingress", ...(authorization && { authorization }) };
  const answer = await cluster.host().fetch(new Request("https://cluster/", { method: "POST", headers, body }));
  return (await answer.json()) as EdgeAnswer;
}

const ingress = (change: object = {}, annotations: Record<string, string> = {}) =>
  cluster.ask("POST", INGRESSES, {
    metadata: { generateName: "web-", annotations },
    spec: {
      rules: [
        {
          host: HOST,
          http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } }],
          },
        },
      ],
      ...change,
    },
  });

/** A connected node, and its credential. */
async function join(name: string): Promise<string> {
  const { token } = await cluster.ask<{ token: string }>("POST", "/skerry/tokens", { ttlSeconds: 600 });
  const joined = await cluster.ask<{ token: string }>("POST", "/skerry/join", { token, name });
  const authorization = `Bearer ${joined.token}`;
  await cluster.fetch("GET", `/link/${name}`, undefined, { upgrade: "websocket", authorization });
  const socket = cluster.sockets.find((known) => known.name === name);
  if (!socket) throw new Error("no socket");
  const hello = { type: "hello", version: PROTOCOL_VERSION, agent: "0", node: name, revision: 0 };
  await cluster.host().message(socket, JSON.stringify(hello));
  return authorization;
}

const streams = (name: string): unknown[] =>
  (cluster.sockets.find((known) => known.name === name)?.sent ?? [])
    .map((text) => JSON.parse(text) as { type: string; request?: unknown })
    .flatMap(({ type, request }) => (type === "stream" ? [request] : []));

const endpoints = (
  list: { address: string; node?: string; ready?: boolean; targetRef?: object }[],
  appProtocol?: string,
  name = "web",
) =>
  cluster.ask("POST", SLICES, {
    metadata: { generateName: `${name}-`, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "", port: 8080, protocol: "TCP", ...(appProtocol && { appProtocol }) }],
    endpoints: list.map(({ address, node, ready = true, targetRef }) => ({
      addresses: [address],
      conditions: { ready },
      ...(node && { nodeName: node }),
      ...(targetRef && { targetRef }),
    })),
  });

const service = (appProtocol?: string, annotations: Record<string, string> = {}) =>
  cluster.ask("POST", SERVICES, {
    metadata: { name: "web", annotations },
    spec: { ports: [{ port: 80, ...(appProtocol && { appProtocol }) }], selector: { app: "web" } },
  });

beforeEach(async () => {
  cluster = clusterObject();
  await cluster.ask("GET", "/api/v1/namespaces");
  await cluster.settled();
});

describe("an app", () => {
  test("is reached through a node that is connected, and that is asked to come", async () => {
    await join("node-a");
    await service();
    await endpoints([
      { address: "10.244.0.2", node: "node-a" },
      { address: "10.244.1.2", node: "node-b" },
      { address: "10.244.0.3", node: "node-a", ready: false },
    ]);
    await ingress({}, { "ingress.skerry.dev/response-timeout": "5" });
    const answer = await ask();
    const counts = { service: "default/web", ingress: expect.stringMatching(/^default\/web-/) };
    const place = { scheme: "http", address: "10.244.0.2", port: 8080 };
    const stream = { id: expect.any(String), kind: "proxy", ...place, counts };
    expect(answer).toEqual({ to: "app", grant: { node: "node-a", stream }, timeoutMs: 5_000 });
    expect(streams("node-a")).toEqual([stream]);
    const gone = { to: "nobody", status: 503, message: "no endpoint of the service is ready" };
    expect(await ask({ tried: ["10.244.0.2:8080"] })).toEqual(gone);
  });

  test("is not looked for in pods that are gone or going, whatever EndpointSlices still say", async () => {
    await join("node-a");
    await service();
    const pods = "/api/v1/namespaces/default/pods";
    await cluster.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "app" } });
    const spec = { nodeName: "node-a", serviceAccountName: "app", containers: [{ name: "c", image: "i" }] };
    const made = await cluster.ask<{ metadata: { uid: string } }>("POST", pods, { metadata: { name: "p" }, spec });
    const targetRef = { kind: "Pod", namespace: "default", name: "p", uid: made.metadata.uid };
    await endpoints([{ address: "10.244.0.2", node: "node-a", targetRef }]);
    await ingress();
    expect(await ask()).toMatchObject({ to: "app" });
    await cluster.ask("DELETE", `${pods}/p`);
    expect(await ask()).toMatchObject({ to: "nobody", status: 503 });
    await cluster.ask("DELETE", `${pods}/p`, { gracePeriodSeconds: 0 });
    expect(await ask()).toMatchObject({ to: "nobody", status: 503 });
  });

  test("is told why it cannot be reached", async () => {
    await ingress();
    const missing = { to: "nobody", status: 503, message: "the service of this rule, or its port, does not exist" };
    expect(await ask()).toEqual(missing);
    await service();
    expect(await ask()).toMatchObject({ to: "nobody", status: 503 });
    await ingress({
      rules: [
        {
          host: "b.example.com",
          http: {
            paths: [{ path: "/x", pathType: "Exact", backend: { service: { name: "web", port: { number: 80 } } } }],
          },
        },
      ],
    });
    expect(await ask({ host: "b.example.com" })).toMatchObject({ to: "nobody", status: 404 });
  });

  test("that speaks HTTP/2 is spoken to so, but for gRPC", async () => {
    await join("node-a");
    await service("kubernetes.io/h2c");
    await endpoints([{ address: "10.244.0.2", node: "node-a" }]);
    await ingress();
    expect(await ask()).toMatchObject({ to: "app", grant: { stream: { scheme: "h2c" } } });
    expect(await ask({ headers: [["content-type", "application/grpc"]] })).toMatchObject({ to: "nobody", status: 502 });
    const web: [string, string] = ["content-type", "application/grpc-web+proto"];
    expect(await ask({ headers: [web] })).toMatchObject({ to: "app" });
  });

  test("that wants HTTPS is sent there", async () => {
    await service();
    await ingress({ tls: [{ hosts: [HOST] }] }, { "ingress.skerry.dev/ssl-redirect": "true" });
    expect(await ask({ isSecure: false })).toEqual({ to: "https" });
    expect(await ask({ isSecure: true })).toMatchObject({ to: "nobody", status: 503 });
  });
});

describe("the API", () => {
  const meanwhile = { to: "api", counts: "meanwhile" };
  const always = { to: "api", counts: "always" };

  test("has what no Ingress names, or one that is for the network alone, or one of another class", async () => {
    expect(await ask()).toEqual(meanwhile);
    await ingress({}, { [SCOPE_ANNOTATION]: "lan" });
    await ingress({ ingressClassName: "other" });
    await ingress({ rules: undefined, defaultBackend: { service: { name: "web", port: { number: 80 } } } });
    expect(await ask()).toEqual(meanwhile);
    await ingress();
    expect(await ask()).toMatchObject({ to: "nobody" });
  });

  test("keeps the names by which the administrator has come before an Ingress had them", async () => {
    expect(await ask({}, await cluster.authorization())).toEqual(always);
    await ingress();
    expect(await ask()).toEqual(always);
    cluster.sleep();
    expect(await ask()).toEqual(always);
  });

  test("answers the administrator whatever Ingresses say, and nodes keep it the name", async () => {
    const node = await join("node-a");
    await ingress();
    expect(await ask({}, await cluster.authorization())).toEqual({ to: "api", counts: "once" });
    expect(await ask({}, "Bearer of.another.app")).toMatchObject({ to: "nobody" });
    expect(await ask()).toMatchObject({ to: "nobody" });
    expect(await ask({}, node)).toEqual(always);
    expect(await ask()).toEqual(always);
  });

  test("is all there is where there is no cluster yet", async () => {
    cluster = clusterObject();
    expect(await ask()).toEqual(meanwhile);
  });
});

describe("an app that is scaled to zero", () => {
  const IDLE = { "skerry.dev/scale-to-zero": "5m" };
  const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
  const LONG_MS = 1_000;
  const LATE = { to: "nobody", status: 503, retryAfter: 10 };

  const deploy = (from: string) => {
    const labels = { app: "web" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
    const metadata = { name: "web", annotations: { "skerry.dev/scaled-from": from } };
    return cluster.ask("POST", DEPLOYMENTS, {
      metadata,
      spec: { replicas: 0, selector: { matchLabels: labels }, template },
    });
  };
  const replicas = async () =>
    (await cluster.ask<{ spec: { replicas: number } }>("GET", `${DEPLOYMENTS}/web`)).spec.replicas;

  beforeEach(async () => {
    // Who waits does so until something happens, however long that takes.
    const defer = (body: () => void, ms = 0) => void (ms < LONG_MS && setTimeout(body, ms));
    cluster = clusterObject({ platform: { defer } });
    await cluster.ask("GET", "/api/v1/namespaces");
    await join("node-a");
    await service(undefined, IDLE);
    await deploy("3");
    await ingress();
    await cluster.settled();
  });

  test("is scaled up for a request, which waits and is then led there", async () => {
    let isAnswered = false;
    const asked = ask().then((answer) => {
      isAnswered = true;
      return answer;
    });
    await expect.poll(replicas).toBe(3);
    await endpoints([{ address: "10.244.0.9", node: "node-a" }], undefined, "other");
    await cluster.settled();
    expect(isAnswered).toBe(false);
    await endpoints([{ address: "10.244.0.2", node: "node-a" }]);
    expect(await asked).toEqual({ to: "wait" });
    expect(await ask()).toMatchObject({ to: "app", grant: { stream: { address: "10.244.0.2" } } });
  });

  test("a node's word wakes it as well, and twice is once", async () => {
    const socket = cluster.sockets.find(({ name }) => name === "node-a");
    if (!socket) throw new Error("no socket");
    for (const name of ["web", "web", "other"])
      await cluster.host().message(socket, JSON.stringify({ type: "wake", namespace: "default", service: name }));
    await expect.poll(replicas).toBe(3);
    expect(socket.open).toBe(true);
  });

  test.each<[string, unknown, string]>([
    [
      "a connection",
      { protocol: "TCP", port: 80, address: "10.244.0.7" },
      'a connection from 10.244.0.7 waits for port 80 of service "web"',
    ],
    ["what is no connection", { protocol: "TCP", port: "80", address: "<b>" }, 'requests wait for service "web"'],
  ])("an event tells that %s woke it", async (_, by, why) => {
    const socket = cluster.sockets.find(({ name }) => name === "node-a");
    if (!socket) throw new Error("no socket");
    const word = { type: "wake", namespace: "default", service: "web", by };
    await cluster.host().message(socket, JSON.stringify(word));
    await expect.poll(replicas).toBe(3);
    const events = async () =>
      (await cluster.ask<{ items: { message: string }[] }>("GET", "/api/v1/namespaces/default/events")).items;
    const message = `Scaled from zero to 3: ${why}`;
    await expect.poll(events).toContainEqual(expect.objectContaining({ message }));
  });

  test("has nobody wait too long, and who loads a page is told soon", async () => {
    expect(await ask({ waitedMs: 60_000 })).toEqual({ ...LATE, message: "the service did not start within 60 s" });
    expect(await ask({ waitedMs: 5_000, isPage: true })).toEqual({
      ...LATE,
      message: "the service starts",
      page: true,
    });
  });

  test("has a hundred wait", async () => {
    const asked = Array.from({ length: 100 }, () => ask());
    await expect.poll(replicas).toBe(3);
    expect(await ask()).toEqual({ ...LATE, message: "too many requests wait for the service to start" });
    await endpoints([{ address: "10.244.0.2", node: "node-a" }]);
    expect(new Set((await Promise.all(asked)).map(({ to }) => to))).toEqual(new Set(["wait"]));
  });
});
