/** What is metered: each scenario has a control plane of its own, and says what a day of it uses. */
import { effects } from "../../../agent/effects.ts";
import { microTimestamp } from "../../../worker/lib/effects.ts";
import { TestBrowser } from "../../support/browser.ts";
import { eventually } from "../../support/cluster.ts";
import { DASHBOARD, openWatch } from "./clients.ts";
import type { MeteredPlane } from "./plane.ts";
import { BrowserTabs } from "./tabs.ts";
import { NOTHING, sum, times, type Usage } from "./usage.ts";

const DAY_S = 86_400;
/** How long what goes on and on is metered, in seconds: three turns of the nodes' watch. */
const WINDOW_S = 60;
/** A watch whose client names no time ends after 30 to 60 minutes, as kube-apiserver's do, and is opened anew. */
const WATCH_LASTS_S = 45 * 60;
const QUIET_MS = 12_000;

/** `seen`: what else was measured, in words. */
export type Metered = Usage & { seen?: string };

export type Scenario = {
  title: string;
  /** Once more in words: what goes on, and what is a model of what. */
  what: string;
  /** What happens once, or a day of what goes on. */
  per: "day" | "time";
  run(plane: MeteredPlane): Promise<Metered>;
};

const names = (count: number) => Array.from({ length: count }, (_, n) => `node-${String(n).padStart(4, "0")}`);

/** Waits until nothing but looks at the nodes happens. */
async function quiet(plane: MeteredPlane): Promise<void> {
  await eventually(
    "a quiet cluster",
    async () => {
      const used = await plane.measure(() => effects.sleep(QUIET_MS));
      return used.alarms === 0 && used.rowsWritten === 0;
    },
    300_000,
  );
}

/** A day of what goes on in the window, with so many watches that are opened anew. */
function aDay(window: Usage, watches: number): Usage {
  const renewals = (watches * DAY_S) / WATCH_LASTS_S;
  const opened = { ...NOTHING, workerRequests: renewals, objectRequests: renewals };
  return sum(times(window, DAY_S / WINDOW_S), opened);
}

const idle = (count: number): Scenario => ({
  title: `idle, ${count} ${count === 1 ? "node" : "nodes"}`,
  what: `${count === 1 ? "A node is" : "Nodes are"} connected, and one client watches all pods. Nothing happens.`,
  per: "day",
  async run(plane) {
    await plane.addNodes(names(count));
    await openWatch(plane.server, "/api/v1/pods");
    await quiet(plane);
    return aDay(await plane.measure(() => effects.sleep(WINDOW_S * 1000)), 1);
  },
});

const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const PODS = 50;

const deployment = (image: string, resources: object = {}, replicas = PODS) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "server", image, ports: [{ containerPort: 80 }], resources }] },
    },
  },
});

type Rollout = { type: string; object: { metadata: { generation: number }; status: Record<string, number> } };

/** `kubectl rollout status`: a watch until all is updated and available. */
async function rolledOut(plane: MeteredPlane, generation: number, replicas = PODS): Promise<void> {
  const watch = await openWatch(plane.server, DEPLOYMENTS);
  await eventually(
    "the rollout",
    async () =>
      watch.lines.some((line) => {
        const { object } = JSON.parse(line) as Rollout;
        const { observedGeneration, updatedReplicas, availableReplicas, ...rest } = object.status ?? {};
        const done = [rest.replicas, updatedReplicas, availableReplicas].every((count) => count === replicas);
        return observedGeneration === generation && done;
      }),
    300_000,
  );
  watch.close();
}

const rollout = (update: boolean): Scenario => ({
  title: update ? `a rolling update of ${PODS} pods` : `a Deployment of ${PODS} pods`,
  what: `On 10 nodes, with a Service, followed to its end. Model nodes report what agents report of pods that start${
    update ? " and stop" : ""
  } without trouble.`,
  per: "time",
  async run(plane) {
    await plane.addNodes(names(10));
    await plane.ask("POST", "/api/v1/namespaces/default/services", {
      metadata: { name: "web" },
      spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
    });
    await quiet(plane);
    const create = async () => {
      await plane.ask("POST", DEPLOYMENTS, deployment("app:1"));
      await rolledOut(plane, 1);
    };
    // Until quiet again: what controllers do afterwards is part of it, and so are looks, by a little.
    if (!update)
      return plane.measure(async () => {
        await create();
        await quiet(plane);
      });
    await create();
    await quiet(plane);
    return plane.measure(async () => {
      const { metadata } = await plane.ask<{ metadata: object }>("GET", `${DEPLOYMENTS}/web`);
      await plane.ask("PUT", `${DEPLOYMENTS}/web`, { ...deployment("app:2"), metadata });
      await rolledOut(plane, 2);
      await quiet(plane);
    });
  },
});

const CHURN_EVERY_MS = 5_000;

const dashboard: Scenario = {
  title: "a dashboard",
  what: `${DASHBOARD.length} watches over 10 nodes with ${PODS} pods, day and night, while every ${CHURN_EVERY_MS / 1000} s a node reports that a container of one of its pods has restarted.`,
  per: "day",
  async run(plane) {
    const [first] = await plane.addNodes(names(10));
    await plane.ask("POST", DEPLOYMENTS, deployment("app:1"));
    await rolledOut(plane, 1);
    for (const path of DASHBOARD) await openWatch(plane.server, path);
    await quiet(plane);
    const window = await plane.measure(async () => {
      for (let n = 1; n <= (WINDOW_S * 1000) / CHURN_EVERY_MS; n++) {
        await first?.restart(n);
        await effects.sleep(CHURN_EVERY_MS);
      }
    });
    return aDay(window, DASHBOARD.length);
  },
};

const RENEW_EVERY_MS = 2_000;
const LIST_EVERY = 5;

const chatty: Scenario = {
  title: "a chatty application",
  what: `One leader election whose Lease is renewed every ${RENEW_EVERY_MS / 1000} s, and an operator that lists ${PODS} pods every ${(RENEW_EVERY_MS * LIST_EVERY) / 1000} s, on 10 nodes.`,
  per: "day",
  async run(plane) {
    await plane.addNodes(names(10));
    await plane.ask("POST", DEPLOYMENTS, deployment("app:1"));
    await rolledOut(plane, 1);
    const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    const spec = { holderIdentity: "a", leaseDurationSeconds: 15 };
    let lease = await plane.ask<{ spec: object }>("POST", leases, { metadata: { name: "leader" }, spec });
    await quiet(plane);
    const window = await plane.measure(async () => {
      for (let n = 0; n < (WINDOW_S * 1000) / RENEW_EVERY_MS; n++) {
        const renewTime = microTimestamp(effects.now());
        lease = await plane.ask("PUT", `${leases}/leader`, { ...lease, spec: { ...lease.spec, renewTime } });
        if (n % LIST_EVERY === 0) await plane.ask("GET", "/api/v1/namespaces/default/pods");
        await effects.sleep(RENEW_EVERY_MS);
      }
    });
    return aDay(window, 0);
  },
};

const AUTOSCALERS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
const TARGET = { type: "Utilization", averageUtilization: 50 };

const autoscaler: Scenario = {
  title: "an autoscaler",
  what: `It looks every 15 s at ${PODS} pods on 10 nodes, which use about what it wants them to, so that it changes nothing but what its status says of them. More autoscalers look at the same moments.`,
  per: "day",
  async run(plane) {
    await plane.addNodes(names(10));
    await plane.ask("POST", DEPLOYMENTS, deployment("app:1", { requests: { cpu: "100m" } }));
    await rolledOut(plane, 1);
    await quiet(plane);
    await plane.ask("POST", AUTOSCALERS, {
      metadata: { name: "web" },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        maxReplicas: PODS,
        metrics: [{ type: "Resource", resource: { name: "cpu", target: TARGET } }],
      },
    });
    await eventually(
      "it has measured them",
      async () => {
        const { status } = await plane.ask<{ status?: { desiredReplicas?: number } }>("GET", `${AUTOSCALERS}/web`);
        return status?.desiredReplicas === PODS;
      },
      120_000,
    );
    await effects.sleep(QUIET_MS);
    return aDay(await plane.measure(() => effects.sleep(WINDOW_S * 1000)), 0);
  },
};

const TABS = 10;
const MANY_PODS = 500;

const tabs: Scenario = {
  title: `${TABS} tabs of the page`,
  what: `The page's Overview in ${TABS} tabs of one browser, over 10 nodes with ${MANY_PODS} pods: opened, looked at for a minute in which nothing happens, and hidden.`,
  per: "time",
  async run(plane) {
    await plane.addNodes(names(10));
    await plane.ask("POST", DEPLOYMENTS, deployment("app:1", {}, MANY_PODS));
    await rolledOut(plane, 1, MANY_PODS);
    await quiet(plane);
    const browser = await TestBrowser.start();
    try {
      const open = new BrowserTabs(browser, plane.server, MANY_PODS);
      const opened = await plane.measure(async () => {
        for (let n = 0; n < TABS; n++) await open.another();
      });
      const looked = await plane.measure(() => effects.sleep(WINDOW_S * 1000));
      const watches = await open.watches();
      await open.hide();
      await eventually("no watch is open", async () => (await open.watches()) === 0);
      return {
        ...sum(opened, looked),
        seen: `${await open.told()}, ${watches} watches open while they are seen, none when hidden`,
      };
    } finally {
      await browser.stop();
    }
  },
};

export const SCENARIOS: readonly Scenario[] = [
  idle(1),
  idle(10),
  idle(1000),
  rollout(false),
  rollout(true),
  dashboard,
  chatty,
  autoscaler,
  tabs,
];
