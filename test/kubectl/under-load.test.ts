/** What happens to requests while pods come and go on two nodes: by a Service's address, a node port and an Ingress. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, TestCluster } from "../support/cluster.ts";
import { freePort } from "../support/free-port.ts";
import { fetchText, type Load, startLoad } from "../support/http.ts";
import { joinArguments, type Lan, Machine, makeLan } from "../support/machine.ts";

const HOST = "shop.example.com";

let lan: Lan;
let cluster: TestCluster;
let machine: Machine;
/** By its name, how the application is reached. */
let ways: Record<"service" | "node port" | "ingress", { url: string; host?: string }>;

const APPLICATION = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  replicas: 4
  strategy: { rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } }
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      terminationGracePeriodSeconds: 60
      topologySpreadConstraints:
        - { maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: { matchLabels: { app: shop } } }
      tolerations:
        - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1 }
      containers:
        - name: server
          image: busybox:test
          command: [sh, -c, 'mkdir -p /tmp/www; hostname >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www']
          readinessProbe: { httpGet: { path: /index.html, port: 8080 }, periodSeconds: 1 }
          lifecycle: { preStop: { sleep: { seconds: 10 } } }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: shop }
spec: { minAvailable: 3, selector: { matchLabels: { app: shop } } }
---
apiVersion: v1
kind: Service
metadata: { name: shop }
spec: { type: NodePort, selector: { app: shop }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop }
spec:
  rules:
    - host: ${HOST}
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: shop, port: { number: 80 } } } }] }
`;

type Service = { spec: { clusterIP: string; ports: { nodePort: number }[] } };

beforeAll(async () => {
  lan = await makeLan();
  const http = await freePort();
  const ports = ["--ingress-http-port", `${http}`, "--ingress-https-port", `${await freePort()}`];
  cluster = await TestCluster.start({ flags: ["--node-name", "node-a", "--node-ip", lan.host, ...ports] });
  machine = await Machine.make("node-b", lan, 2);
  cluster.machines.push(machine);
  await machine.join(joinArguments((await cluster.skerry("token", "create")).stdout, lan));
  await cluster.ok("wait --for=condition=Ready node/node-b --timeout=60s");
  await cluster.apply(APPLICATION);
  await cluster.ok("rollout status deployment/shop --timeout=120s");
  const { spec } = await cluster.json<Service>("get service shop");
  ways = {
    service: { url: `http://${spec.clusterIP}/index.html` },
    "node port": { url: `http://${lan.host}:${spec.ports[0]?.nodePort}/index.html` },
    ingress: { url: `http://${lan.host}:${http}/index.html`, host: HOST },
  };
  for (const [way, { url, host }] of Object.entries(ways))
    await eventually(`all pods answer by the ${way}`, async () => {
      const answers = await Promise.all(Array.from({ length: 32 }, () => fetchText(url, 30_000, host)));
      const answering = new Set(answers);
      if (answering.size < 4) throw new Error(`only ${[...answering]}`);
      return true;
    });
});
afterAll(async () => {
  await cluster?.stop();
  await lan?.remove();
});

/** So many clients ask by each way, one request after another. */
const CLIENTS = 2;
/** More than an Ingress waits for an answer. */
const PATIENCE_MS = 70_000;

/** What each way's clients were answered while `body` ran; those that reach the pods themselves give up after `patienceMs`. */
async function during(
  body: () => Promise<unknown>,
  patienceMs = PATIENCE_MS,
): Promise<Record<keyof typeof ways, Load>> {
  const loads = Object.entries(ways).map(([way, { url, host }]) => {
    const options = host === undefined ? { timeoutMs: patienceMs } : { timeoutMs: PATIENCE_MS, host };
    const stop = startLoad([url], CLIENTS, options);
    return { way, stop };
  });
  try {
    await body();
  } finally {
    await Promise.allSettled(loads.map(({ stop }) => stop()));
  }
  const ended = await Promise.all(loads.map(async ({ way, stop }) => [way, await stop()] as const));
  return Object.fromEntries(ended) as Record<keyof typeof ways, Load>;
}

const pods = async () => (await cluster.ok("get pods -l app=shop --no-headers -o wide")).trim().split("\n");

/** Until so many pods are there, all of them ready, and none that is going. */
const settled = (count: number, node?: string) =>
  eventually(`${count} pods are there${node ? ` on ${node}` : ""}`, async () => {
    const rows = await pods();
    return rows.length === count && rows.every((row) => /1\/1 +Running/.test(row) && row.includes(node ?? ""));
  });

function expectNoneLost(loads: Record<string, Load>): void {
  expect(Object.fromEntries(Object.entries(loads).map(([way, { errors }]) => [way, errors]))).toEqual({
    service: [],
    "node port": [],
    ingress: [],
  });
  for (const [way, { answers }] of Object.entries(loads)) expect(answers.length, way).toBeGreaterThan(0);
}

describe("no request is lost", () => {
  test("while the application grows and shrinks", async () => {
    const loads = await during(async () => {
      await cluster.ok("scale deployment shop --replicas=8");
      await settled(8);
      await cluster.ok("scale deployment shop --replicas=4");
      await settled(4);
    });
    expectNoneLost(loads);
  });

  test("while a node is drained, within the disruption budget, and comes back", async () => {
    const loads = await during(async () => {
      await cluster.ok("drain node-b --ignore-daemonsets --timeout=120s");
      await settled(4, "node-a");
      await cluster.ok("uncordon node-b");
      await cluster.ok("rollout restart deployment shop");
      await cluster.ok("rollout status deployment shop --timeout=120s");
      await settled(4);
    });
    expectNoneLost(loads);
    expect((await pods()).some((row) => row.includes("node-b"))).toBe(true);
  });
});

describe("a node dies", () => {
  /** Addresses that a Service leads to. */
  const led = async () => {
    const slices = await cluster.json<{
      items: { endpoints: { nodeName: string; conditions: { ready: boolean } }[] }[];
    }>("get endpointslices -l kubernetes.io/service-name=shop");
    return slices.items.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions.ready);
  };

  test("what is lost is what was sent to its pods before it was found out; an Ingress asks another pod", async () => {
    const until = await during(async () => {
      await machine.powerOff();
      await eventually("no Service leads to the node", async () =>
        (await led()).every(({ nodeName }) => nodeName !== "node-b"),
      );
    }, 5_000);
    // Nothing but silence. An Ingress' clients lose only what the machine was just about to answer.
    for (const way of ["service", "node port"] as const)
      for (const error of until[way].errors) expect(error, way).toMatch(/no answer in time|EHOSTUNREACH/);
    expect(until.ingress.errors.length).toBeLessThanOrEqual(CLIENTS);
    for (const error of until.ingress.errors) expect(error).toContain("answered 504");
    for (const [way, { answers }] of Object.entries(until)) expect(answers.length, way).toBeGreaterThan(0);
    await eventually("every way leads to the others", async () => {
      const asked = Object.values(ways).flatMap((way) => Array.from({ length: 8 }, () => way));
      return (await Promise.all(asked.map(({ url, host }) => fetchText(url, 20_000, host)))).length > 0;
    });
    const after = await during(() =>
      eventually("four pods are ready", async () => {
        const rows = await pods();
        return rows.filter((row) => /1\/1 +Running/.test(row) && row.includes("node-a")).length === 4;
      }),
    );
    expectNoneLost(after);
  });
});
