import { expect, test } from "vitest";
import { changesOf, testCluster } from "./api/testing/cluster.ts";
import { Driver } from "./controllers/driver.ts";
import { builtinControllers } from "./controllers/index.ts";
import { scheduler } from "./scheduler/scheduler.ts";

/** The API over a real database, with every controller brought to rest after each request, as the Cluster does it. */
async function cluster() {
  const parts = await testCluster();
  const { store, kinds, engine, clock } = parts;
  const problems: string[] = [];
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const config = { ca: "CA", podCIDR: "10.244.0.0/16", nodeMask: 24 };
  const driver = new Driver({
    controllers: [scheduler(), ...builtinControllers(config)],
    view: engine.view,
    apply: (intent, controller) => engine.applyIntent(intent, controller),
    work: store.work,
    effects: { now: () => clock.now, random },
    pull: changesOf(store, kinds),
    report: (controller, key, error) => problems.push(`${controller} ${key}: ${error}`),
  });
  const rest = () => {
    expect(driver.drain({ reconciles: 20_000 })).toBe(true);
    driver.persist();
  };
  async function ask(method: string, path: string, body?: unknown) {
    const answer = await parts.ask(method, path, body);
    if (answer.code >= 400) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    rest();
    return answer.body;
  }
  /** A node of whom all pods start and end at once. */
  async function kubelet() {
    for (let again = true; again; ) {
      again = false;
      for (const pod of (await ask("GET", "/api/v1/pods")).items) {
        const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}`;
        const ready = pod.status.conditions?.some(
          (c: { type: string; status: string }) => c.type === "Ready" && c.status === "True",
        );
        if (!pod.spec.nodeName) continue;
        if (pod.metadata.deletionTimestamp) await ask("DELETE", `${path}?gracePeriodSeconds=0`);
        else if (!ready) {
          const conditions = [...(pod.status.conditions ?? []), { type: "Ready", status: "True" }];
          const podIP = "10.244.0.7";
          await ask("PUT", `${path}/status`, {
            ...pod,
            status: { ...pod.status, phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions },
          });
        } else continue;
        again = true;
      }
    }
  }
  async function addNode(name: string) {
    const node = await ask("POST", "/api/v1/nodes", { metadata: { name, labels: { "kubernetes.io/hostname": name } } });
    const status = {
      allocatable: { cpu: "4", memory: "8Gi", pods: "110" },
      conditions: [{ type: "Ready", status: "True" }],
    };
    await ask("PATCH", `/api/v1/nodes/${node.metadata.name}/status`, { status }).catch(async () => {
      const fresh = await ask("GET", `/api/v1/nodes/${name}`);
      await ask("PUT", `/api/v1/nodes/${name}/status`, { ...fresh, status });
    });
  }
  driver.resync();
  rest();
  return { ...parts, ask, rest, kubelet, addNode, problems, driver };
}

const deployment = (replicas: number, image = "app:1") => ({
  metadata: { name: "web" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }] } },
  },
});
const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";

test("a Deployment runs, rolls, and goes, over the real API and database", async () => {
  const { ask, kubelet, addNode, problems } = await cluster();
  await addNode("node-a");
  await addNode("node-b");
  await ask("POST", "/api/v1/namespaces/default/services", {
    metadata: { name: "web" },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  });
  await ask("POST", DEPLOYMENTS, deployment(4));
  await kubelet();
  const first = await ask("GET", `${DEPLOYMENTS}/web`);
  expect(first.status).toMatchObject({ replicas: 4, updatedReplicas: 4, availableReplicas: 4 });
  const pods = (await ask("GET", "/api/v1/namespaces/default/pods")).items;
  const perNode = Object.groupBy(pods, (pod: { spec: { nodeName: string } }) => pod.spec.nodeName);
  expect([perNode["node-a"]?.length, perNode["node-b"]?.length]).toEqual([2, 2]);
  const { items: slices } = await ask("GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices");
  expect(slices.find((s: { metadata: { name: string } }) => s.metadata.name.startsWith("web-")).endpoints).toHaveLength(
    4,
  );

  await ask("PUT", `${DEPLOYMENTS}/web`, { ...first, spec: deployment(4, "app:2").spec });
  await kubelet();
  const second = await ask("GET", `${DEPLOYMENTS}/web`);
  expect(second.status).toMatchObject({ replicas: 4, updatedReplicas: 4, availableReplicas: 4 });
  expect(second.metadata.annotations["deployment.kubernetes.io/revision"]).toBe("2");

  await ask("DELETE", `${DEPLOYMENTS}/web`);
  await kubelet();
  expect((await ask("GET", "/api/v1/namespaces/default/pods")).items).toEqual([]);
  expect((await ask("GET", "/apis/apps/v1/replicasets")).items).toEqual([]);
  expect(problems).toEqual([]);
});

test("a namespace goes with all that is in it", async () => {
  const { ask, problems } = await cluster();
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "shop" } });
  expect((await ask("GET", "/api/v1/namespaces/shop/serviceaccounts/default")).metadata.name).toBe("default");
  await ask("POST", DEPLOYMENTS.replace("default", "shop"), deployment(3));
  expect((await ask("GET", "/api/v1/namespaces/shop/pods")).items).toHaveLength(3);
  await ask("DELETE", "/api/v1/namespaces/shop");
  const { items } = await ask("GET", "/api/v1/namespaces");
  expect(items.map((ns: { metadata: { name: string } }) => ns.metadata.name)).not.toContain("shop");
  expect(problems).toEqual([]);
});
