/** Applications that become more with the requests for them, fewer again, and none: nobody who asks is failed. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, TestCluster } from "../support/cluster.ts";
import { freePort } from "../support/free-port.ts";
import { startLoad } from "../support/http.ts";

let cluster: TestCluster;
let port: number;

/** Whoever ends goes on answering for so long, in s: what leads to it hears of its end meanwhile. */
const LINGERS = { busy: 10, nap: 1 };

const application = (name: keyof typeof LINGERS, replicas: number, annotations = "") => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 60
      containers:
        - name: c
          image: busybox:test
          command: [sh, -c, "mkdir /www; echo ${name} > /www/index.html; trap 'exit 0' TERM; httpd -p 8080 -h /www; sleep 3600 & wait"]
          readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
          lifecycle: { preStop: { sleep: { seconds: ${LINGERS[name]} } } }
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, annotations: { ${annotations} } }
spec: { selector: { app: ${name} }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name} }
spec:
  rules:
    - host: ${name}.example.com
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: ${name}, port: { number: 80 } } } }] }
---
`;

/** As many as each is asked five times a second. */
const AUTOSCALER = `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: busy }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: busy }
  minReplicas: 1
  maxReplicas: 3
  behavior: { scaleDown: { stabilizationWindowSeconds: 0 } }
  metrics:
    - type: Object
      object:
        describedObject: { apiVersion: v1, kind: Service, name: busy }
        metric: { name: requests_per_second }
        target: { type: AverageValue, averageValue: "5" }
`;

type Got = { status: number; text: string };

/** At the node's port, or at the edge: the control plane's, which speaks TLS. */
function ask(at: number, headers: Record<string, string> = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const secure = { servername: "nap.example.com", rejectUnauthorized: false };
    const options = { host: "127.0.0.1", port: at, agent: false, headers: { host: "nap.example.com", ...headers } };
    const sent = at === port ? httpRequest(options) : httpsRequest({ ...options, ...secure });
    sent.on("error", reject).once("response", (response) => {
      let text = "";
      response.on("error", reject).on("data", (chunk) => {
        text += chunk;
      });
      response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.end();
  });
}

/** Asked again where a pod did not start within a minute, which is enough but on a machine that has much else to do. */
const answered = (...asked: Parameters<typeof ask>) =>
  eventually("it starts", async () => {
    const got = await ask(...asked);
    return got.status !== 503 && got;
  });

const replicas = async (name: string) =>
  Number(await cluster.ok(["get", "deployment", name, "-o", "jsonpath={.spec.replicas}"]));

const scaled = (name: string, count: number) =>
  eventually(`there are ${count} of ${name}`, async () => (await replicas(name)) === count);

/** None is left that could still answer. */
async function asleep(): Promise<void> {
  await scaled("nap", 0);
  await eventually("its pods are gone", async () => (await cluster.ok("get pods -l app=nap -o name")) === "");
}

beforeAll(async () => {
  port = await freePort();
  const ports = ["--ingress-http-port", String(port), "--ingress-https-port", "0"];
  cluster = await TestCluster.start({ flags: ["--node-name", "node-a", ...ports] });
  const nap = application("nap", 2, 'skerry.dev/scale-to-zero: "3s"');
  await cluster.apply(application("busy", 1) + nap + AUTOSCALER);
  await cluster.ok("rollout status deploy/busy --timeout=120s");
});

afterAll(() => cluster?.stop());

test("pods follow the requests for them, up and down, and to zero and back; none is failed", async () => {
  const host = "busy.example.com";
  const url = `http://127.0.0.1:${port}/`;
  await eventually("the node serves it", async () => (await startLoad([url], 1, { host })()).errors.length === 0);
  const trickle = startLoad([url], 1, { host, pauseMs: 1000 });
  const load = startLoad([url], 6, { host, pauseMs: 100 });

  // Meanwhile the other one sleeps, and wakes for whoever asks, on the network and at the edge.
  await asleep();
  await eventually("that is shown", async () => /^nap +0\/0 /m.test(await cluster.ok("get deploy nap")));
  const held = await Promise.all([answered(port), answered(port), answered(port, { accept: "application/json" })]);
  expect(held).toEqual(held.map(() => ({ status: 200, text: "nap\n" })));
  await asleep();
  expect(await answered(cluster.port)).toEqual({ status: 200, text: "nap\n" });
  for (const event of [
    /ScaledToZero .*scale-to-zero-controller +Scaled from 2 to zero: there was no request for service "nap"/,
    /ScaledFromZero .*Scaled from zero to 2: requests wait for service "nap"/,
  ])
    await eventually(`an event says ${event}`, async () => event.test(await cluster.ok("describe deploy nap")));

  await scaled("busy", 3);
  const raw =
    "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/ingresses.networking.k8s.io/busy/requests_per_second";
  const told = await eventually("all nodes tell what they have seen", () => cluster.ok(["get", "--raw", raw]));
  const { items } = JSON.parse(told) as { items: { value: string }[] };
  expect(items).toMatchObject([{ describedObject: { kind: "Ingress", name: "busy" }, value: expect.any(String) }]);
  const all = [await load()];
  await scaled("busy", 1);
  all.push(await trickle());
  expect(all.flatMap(({ errors }) => errors)).toEqual([]);
  expect(await cluster.ok("describe hpa busy")).toMatch(/"requests_per_second" on Service\/busy/);
});

test("a request that came while the control plane was killed is answered", async () => {
  await asleep();
  await cluster.kill("workerd");
  expect(await answered(port)).toEqual({ status: 200, text: "nap\n" });
});
