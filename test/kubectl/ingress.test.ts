/** Ingresses of a whole cluster, as clients on the network and at the control plane's own port meet them. */
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { request as httpsRequest } from "node:https";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { effects } from "../../agent/effects.ts";
import { mainAddress } from "../../agent/node/facts.ts";
import { createAuthority, issueServer } from "../../worker/lib/certificates.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { freePort } from "../support/free-port.ts";

const HOST = "app.example.com";
const LIVE = "live.example.com";

let cluster: TestCluster;
let [http, https] = [0, 0];
const address = mainAddress() ?? "";
/** A program beside the cluster, which a Service's own endpoints lead to. */
let live: Server;
const events: ServerResponse[] = [];
const seen: IncomingMessage[] = [];

type Got = { status: number; text: string; headers: IncomingMessage["headers"] };
type Asked = { path?: string; host?: string; method?: string; body?: string; headers?: Record<string, string> };

/** `port`: the node's ports, or that of the control plane, which speaks TLS. */
function ask(port: number, { path = "/", host = HOST, method = "GET", body, headers = {} }: Asked = {}): Promise<Got> {
  const isSecure = port !== http;
  return new Promise((resolve, reject) => {
    const sent = (isSecure ? httpsRequest : httpRequest)(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        agent: false,
        headers: { host, ...headers },
        ...(isSecure && { servername: /^[\d.:]+$/.test(host) ? "" : host, rejectUnauthorized: false }),
      },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

const web = (version: string, replicas = 2) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 60
      containers:
        - name: c
          image: busybox:test
          command: [sh, -c, "mkdir /www /www/deep; echo ${version} | tee /www/index.html > /www/deep/index.html; trap 'exit 0' TERM; httpd -p 8080 -h /www; sleep 3600 & wait"]
          readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
          lifecycle: { preStop: { sleep: { seconds: 10 } } }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports: [{ name: http, port: 80, targetPort: 8080 }]
`;

const liveService = (port: number) => `
apiVersion: v1
kind: Service
metadata: { name: live }
spec:
  ports: [{ name: http, port: 80 }]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: live-1, labels: { kubernetes.io/service-name: live } }
addressType: IPv4
ports: [{ name: http, port: ${port} }]
endpoints: [{ addresses: ["${address}"] }]
`;

const path = (path: string, type: string, name = "web", port = "number: 80") =>
  `{ path: ${path}, pathType: ${type}, backend: { service: { name: ${name}, port: { ${port} } } } }`;

const INGRESS = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec:
  tls: [{ hosts: ["${HOST}"], secretName: web-tls }]
  rules:
    - host: ${HOST}
      http: { paths: [${path("/deep", "Prefix", "web", "name: http")}, ${path("/index.html", "Exact")}, ${path("/live", "Prefix", "live")}] }
    - host: "*.${LIVE}"
      http: { paths: [${path("/", "Prefix", "live")}] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: lan, annotations: { ingress.skerry.dev/scope: lan } }
spec:
  rules:
    - host: lan.example.com
      http: { paths: [${path("/", "Prefix")}, ${path("/missing", "Prefix", "missing")}] }
`;

beforeAll(async () => {
  live = createServer((request, response) => {
    seen.push(request);
    if (request.url?.endsWith("/events")) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: first\n\n");
      events.push(response);
    } else request.pipe(response);
  });
  new WebSocketServer({ server: live }).on("connection", (socket) =>
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })),
  );
  await new Promise<void>((resolve) => live.listen(0, resolve));
  [http, https] = [await freePort(), await freePort()];
  const ports = ["--ingress-http-port", String(http), "--ingress-https-port", String(https)];
  cluster = await TestCluster.start({ flags: ["--node-name", "node-a", ...ports] });
  const authority = await createAuthority("test", effects.now());
  const { certificate, key } = await issueServer(authority, "web", { dns: [HOST], ip: [] }, effects.now());
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const secret = `apiVersion: v1
kind: Secret
metadata: { name: web-tls }
type: kubernetes.io/tls
data: { tls.crt: ${base64(certificate)}, tls.key: ${base64(key)} }
---
`;
  await cluster.apply(
    [secret, web("one"), "---", liveService((live.address() as { port: number }).port), "---", INGRESS].join("\n"),
  );
  await cluster.ok("rollout status deploy/web --timeout=120s");
});

afterAll(async () => {
  live?.close();
  live?.closeAllConnections();
  await cluster?.stop();
});

/** Until the node has heard of it. */
const served = (port: number, asked: Asked, status = 200) =>
  eventually(`${asked.host ?? HOST}${asked.path ?? "/"} is answered by ${status} on ${port}`, async () => {
    const got = await ask(port, asked);
    return got.status === status && got;
  });

test("kubectl shows it as on any cluster", async () => {
  await served(http, { path: "/deep/" });
  const addressed = await eventually("the Ingress has an address", async () => {
    const list = await cluster.ok("get ingress web");
    return /\d+\.\d+\.\d+\.\d+/.test(list) && list;
  });
  expect(addressed).toMatch(/NAME +CLASS +HOSTS +ADDRESS +PORTS +AGE\nweb +skerry +app\.example\.com,\*\.live\.\S+ /);
  expect(addressed).toContain("80, 443");
  const described = await cluster.ok("describe ingress web");
  expect(described).toMatch(/Ingress Class: +skerry\n/);
  expect(described).toMatch(/TLS:\n +web-tls terminates app\.example\.com\n/);
  expect(described).toMatch(/\/deep +web:http \(10\.\S+:8080,10\.\S+:8080\)\n/);
  expect(described).toContain(`live:80 (${address}:`);
  expect(described).toMatch(/Events: +<none>/);
  expect(await cluster.ok("get ingressclass skerry")).toMatch(/skerry +skerry\.dev\/ingress +<none>/);
});

test("events tell what it lacks, and the node where it listens", async () => {
  const warnings = await eventually("there is an event", async () => {
    const text = await cluster.ok("get events --field-selector involvedObject.kind=Ingress,type=Warning");
    return text.includes("ServiceNotFound") && text;
  });
  expect(warnings).toContain('service "default/missing" does not exist');
  const condition = `{.status.conditions[?(@.type=="IngressListening")].message}`;
  await eventually("the node tells its ports", async () => {
    const said = await cluster.ok(["get", "node", "node-a", "-o", `jsonpath=${condition}`]);
    return said === `port ${http} for HTTP, port ${https} for HTTPS`;
  });
  expect((await served(http, { host: "lan.example.com", path: "/missing" }, 503)).text).toMatch(/does not exist/);
});

describe("on the node's network", () => {
  test("hosts and paths lead where they should", async () => {
    expect((await served(http, { path: "/deep/" })).text).toBe("one\n");
    expect((await ask(http, { path: "/index.html" })).text).toBe("one\n");
    const echoed = await ask(http, { path: "/live/x", method: "POST", body: "hello" });
    expect(echoed.text).toBe("hello");
    expect(seen.at(-1)?.headers).toMatchObject({
      host: HOST,
      "x-forwarded-for": "127.0.0.1",
      "x-real-ip": "127.0.0.1",
    });
    expect((await ask(http, { host: `a.${LIVE}`, method: "POST", body: "x" })).text).toBe("x");
    for (const asked of [
      { path: "/" },
      { path: "/index.html/" },
      { path: "/deeper" },
      { host: LIVE },
      { host: `a.b.${LIVE}` },
    ])
      expect(await ask(http, asked)).toMatchObject({
        status: 404,
        text: "no rule is for this host and path\n",
      });
  });

  test("TLS shows the Secret's certificate for its names, and one of the node's own for others", async () => {
    const shown = async (servername: string) => {
      const socket = connectTls({ host: "127.0.0.1", port: https, servername, rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const { subjectaltname, subject } = socket.getPeerCertificate();
      socket.destroy();
      return subjectaltname ?? String(subject.CN);
    };
    expect(await shown(HOST)).toBe(`DNS:${HOST}`);
    expect(await shown("other.example.com")).toBe("skerry-ingress-self-signed");
    expect((await ask(https, { path: "/deep/" })).text).toBe("one\n");
    await ask(https, { path: "/live" });
    expect(seen.at(-1)?.headers).toMatchObject({ "x-forwarded-proto": "https", "x-forwarded-port": String(https) });
  });

  test("a rolling update under load fails nobody", async () => {
    await served(http, { path: "/deep/" });
    const texts = new Set<string>();
    const failures: unknown[] = [];
    let isOver = false;
    const client = async () => {
      while (!isOver)
        await ask(http, { path: "/deep/" }).then(
          ({ status, text }) => (status === 200 ? texts.add(text) : failures.push(status)),
          (error) => failures.push(String(error)),
        );
    };
    const clients = [client(), client(), client()];
    await cluster.apply(web("two"));
    await cluster.ok("rollout status deploy/web --timeout=120s");
    await eventually("the pods of before are gone", async () => {
      const list = await cluster.ok("get pods -l app=web --no-headers");
      return list.trim().split("\n").length === 2 && !list.includes("Terminating");
    });
    isOver = true;
    await Promise.all(clients);
    expect(failures).toEqual([]);
    expect(texts).toEqual(new Set(["one\n", "two\n"]));
  });
});

describe.each(["node", "edge"])("live, by the %s", (place) => {
  const port = () => (place === "node" ? http : cluster.port);
  const host = `a.${LIVE}`;

  test("WebSockets carry both ways", async () => {
    await served(port(), { host, method: "POST", body: "x" });
    const options = { headers: { host }, rejectUnauthorized: false };
    const socket = new WebSocket(`${place === "node" ? "ws" : "wss"}://127.0.0.1:${port()}/chat`, options);
    await once(socket, "open");
    const bytes = Buffer.alloc(200_000, "x");
    socket.send(bytes);
    expect(((await once(socket, "message"))[0] as Buffer).equals(bytes)).toBe(true);
    socket.close(1000);
    await once(socket, "close");
  });

  test("events come one by one", async () => {
    await served(port(), { host, method: "POST", body: "x" });
    events.length = 0;
    const secure = { servername: host, rejectUnauthorized: false };
    const sent = (place === "node" ? httpRequest : httpsRequest)({
      ...{ host: "127.0.0.1", port: port(), path: "/events", headers: { host }, agent: false },
      ...(place === "edge" && secure),
    });
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    expect(String((await once(response, "data"))[0])).toBe("data: first\n\n");
    events[0]?.write("data: second\n\n");
    expect(String((await once(response, "data"))[0])).toBe("data: second\n\n");
    sent.destroy();
  });
});

describe("at the edge", () => {
  test("an app is reached by its host name, and knows who asks", async () => {
    expect((await served(cluster.port, { path: "/deep/" })).text).toMatch(/^(one|two)\n$/);
    const headers = { authorization: "Bearer of-the-app", "x-forwarded-for": "192.0.2.9" };
    const echoed = await ask(cluster.port, { path: "/live/api/v1?x=y", method: "POST", body: "hello", headers });
    expect(echoed).toMatchObject({ status: 200, text: "hello" });
    expect(seen.at(-1)?.url).toBe("/live/api/v1?x=y");
    expect(seen.at(-1)?.headers).toMatchObject({
      host: HOST,
      authorization: "Bearer of-the-app",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "https",
    });
    expect(await ask(cluster.port, { path: "/api" })).toMatchObject({
      status: 404,
      text: expect.stringContaining("no rule"),
    });
  });

  test("the API keeps its own names, and what is for the network alone", async () => {
    const isApi = async (asked: Asked) => JSON.parse((await ask(cluster.port, { path: "/api", ...asked })).text).kind;
    expect(await isApi({ host: "lan.example.com" })).toBe("Status");
    expect(await isApi({ host: "unnamed.example.com" })).toBe("Status");
    const taken = ["localhost", `127.0.0.1:${cluster.port}`, "kubernetes.default.svc"];
    await cluster.apply(
      INGRESS.replaceAll("lan.example.com", "kubernetes.default.svc").replace("scope: lan", "scope: edge"),
    );
    for (const host of taken) expect(await isApi({ host })).toBe("Status");
    const token = await cluster.ok("config view --raw -o jsonpath={.users[0].user.token}");
    const before = seen.length;
    expect(await isApi({ host: `a.${LIVE}`, headers: { authorization: `Bearer ${token}` } })).toBe("APIVersions");
    expect(seen).toHaveLength(before);
    expect((await ask(cluster.port, { host: `a.${LIVE}`, method: "POST", body: "still the app" })).text).toBe(
      "still the app",
    );
  });
});

test("without an Ingress nobody listens", async () => {
  await cluster.ok("delete ingress --all");
  await eventually("the port is closed", () =>
    ask(http).then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === "ECONNREFUSED",
    ),
  );
});
