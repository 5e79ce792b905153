/** A pod of Skerry's, and a server that only speaks what kubectl speaks for one: what is between is the difference. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type WebSocket, WebSocketServer } from "ws";
import { TestCluster } from "../../support/cluster.ts";
import { freePort } from "../../support/free-port.ts";
import { BUSYBOX_IMAGE } from "../../support/image.ts";
import { checked, kubectls } from "../../support/programs.ts";
import { until } from "../container-host.ts";
import { type StreamHost, throughKubectl } from "../stream-host.ts";
import { build } from "./skerry.ts";

const PROTOCOL = "v5.channel.k8s.io";
const MEGABYTE = 2 ** 20;
const MESSAGE_BYTES = 64 * 1024;
const LOG_BYTES = 24_000_000;

const pod = `
apiVersion: v1
kind: Pod
metadata: { name: streams }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: c
      image: ${BUSYBOX_IMAGE}
      command: [sh, -c, "yes $(seq 40 | tr '\\\\n' ' ') | head -c ${LOG_BYTES}; exec sleep 1000000"]
`;

async function newestKubectl(): Promise<string> {
  const [newest] = await kubectls();
  if (!newest) throw new Error("there is no kubectl");
  return newest.path;
}

export async function startSkerryStreams(): Promise<StreamHost> {
  const kubectl = await newestKubectl();
  const cluster = await TestCluster.start({ program: await build() });
  await cluster.apply(pod);
  await cluster.ok("wait --for=condition=Ready pod/streams --timeout=60s");
  const host = throughKubectl(kubectl, cluster.environment);
  let before = -1;
  await until("the log is whole", async () => {
    const size = await host.logs();
    const isWhole = size === before;
    before = size;
    return isWhole && size > 1;
  });
  return { ...host, stop: () => cluster.stop() };
}

const DISCOVERY: Record<string, object> = {
  "/api": { kind: "APIVersions", versions: ["v1"] },
  "/apis": { kind: "APIGroupList", apiVersion: "v1", groups: [] },
  "/api/v1": {
    kind: "APIResourceList",
    groupVersion: "v1",
    resources: [{ name: "pods", singularName: "pod", namespaced: true, kind: "Pod", verbs: ["get"] }],
  },
  "/api/v1/namespaces/default/pods/streams": {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "streams", namespace: "default" },
    spec: { containers: [{ name: "c", image: BUSYBOX_IMAGE }] },
    status: { phase: "Running" },
  },
};

export async function startBareStreams(): Promise<StreamHost> {
  const folder = mkdtempSync(join(tmpdir(), "skerry-bare-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const certificate = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await checked("openssl", [...certificate, "-keyout", key, "-out", cert, "-days", "1", "-subj", "/CN=localhost"]);
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, answer);
  const sockets = new WebSocketServer({ server, perMessageDeflate: false, handleProtocols: () => PROTOCOL });
  sockets.on("connection", (socket, request) => void exec(socket, request));
  const port = await freePort();
  await once(server.listen(port, "127.0.0.1"), "listening");
  const flags = `--kubeconfig /dev/null --cache-dir ${folder} --server https://127.0.0.1:${port} --insecure-skip-tls-verify`;
  const kubectl = `${await newestKubectl()} ${flags} --token none`;
  return {
    ...throughKubectl(kubectl, { ...process.env, KUBECONFIG: "/dev/null" }),
    async stop() {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? "/", "https://bare");
  if (pathname.endsWith("/log")) response.end(Buffer.alloc(LOG_BYTES));
  else {
    response.setHeader("content-type", "application/json");
    response.writeHead(DISCOVERY[pathname] ? 200 : 404).end(JSON.stringify(DISCOVERY[pathname] ?? {}));
  }
}

async function exec(socket: WebSocket, { url = "" }: IncomingMessage): Promise<void> {
  const command = new URL(url, "https://bare").searchParams.getAll("command");
  const count = command.find((word) => word.startsWith("count="))?.slice("count=".length);
  if (count === undefined) await ended(socket);
  else {
    const message = Buffer.alloc(1 + MESSAGE_BYTES, 0).fill(1, 0, 1);
    for (let left = Number(count) * MEGABYTE; left > 0; left -= MESSAGE_BYTES)
      await new Promise((resolve) => socket.send(message, resolve));
  }
  socket.send(Buffer.from(`\u0003${JSON.stringify({ metadata: {}, status: "Success" })}`));
  socket.close(1000);
}

/** The client has no more input: `[255, 0]`. */
const ended = (socket: WebSocket): Promise<void> =>
  new Promise((resolve) => socket.on("message", (message: Buffer) => message[0] === 255 && resolve()));
