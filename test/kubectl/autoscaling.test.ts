/** Autoscalers on a real node: pods that are busy become more, and fewer again; and what is told of those that cannot be. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HorizontalPodAutoscaler } from "../../worker/kinds/autoscaling/horizontal-pod-autoscaler.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { ExtensionServer, json } from "../support/extension.ts";

const CUSTOM = "/apis/custom.metrics.k8s.io/v1beta2";
const EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1";

let cluster: TestCluster;
let server: ExtensionServer;
/** While this file is there, pods are busy. */
let busy: string;

const template = (name: string) => `
  selector: ${name === "replicator" ? `{ app: ${name} }` : `{ matchLabels: { app: ${name} } }`}
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - { name: c, image: "busybox:test", command: [sleep, "6000"], resources: { requests: { cpu: 10m } } }
`;

/** What is not measured is not waited for one after the other: all begin together. */
beforeAll(async () => {
  cluster = await TestCluster.start();
  const work = join(cluster.home, "work");
  busy = join(work, "busy");
  mkdirSync(work);
  writeFileSync(busy, "");
  await cluster.apply(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: burner }
spec:
  replicas: 1
  selector: { matchLabels: { app: burner } }
  template:
    metadata: { labels: { app: burner } }
    spec:
      terminationGracePeriodSeconds: 0
      volumes: [{ name: work, hostPath: { path: ${work} } }]
      containers:
      - name: c
        image: busybox:test
        command: [sh, -c, "while :; do if [ -e /work/busy ]; then i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; else sleep 5; fi; done"]
        resources: { requests: { cpu: 100m }, limits: { cpu: 150m } }
        volumeMounts: [{ name: work, mountPath: /work }]
---
apiVersion: v1
kind: ReplicationController
metadata: { name: replicator }
spec:
  replicas: 1
${template("replicator")}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: ordered }
spec:
  replicas: 3
  serviceName: ordered
${template("ordered")}
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: shared }
spec:
${template("shared")}
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: asked }
spec:
${template("asked")}
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: zero }
spec:
  replicas: 0
${template("zero")}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: farms.example.com }
spec:
  group: example.com
  names: { kind: Farm, plural: farms }
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
    subresources:
      scale: { specReplicasPath: .spec.animals, statusReplicasPath: .status.animals, labelSelectorPath: .status.selector }
`);
  await Promise.all([startMetrics(), autoscale()]);
});
afterAll(async () => {
  await server?.stop();
  await cluster?.stop();
});

async function autoscale(): Promise<void> {
  const autoscaler = (name: string, kind: string, more: string, target = name) => `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: ${name} }
spec:
  scaleTargetRef: { apiVersion: ${kind}, name: ${target} }
  ${more}
`;
  const deployment = "apps/v1, kind: Deployment";
  await cluster.ok("autoscale rc replicator --min=2 --max=4 --cpu-percent=70");
  await cluster.ok("wait --for=condition=Established crd/farms.example.com --timeout=30s");
  await cluster.apply(
    [
      "apiVersion: example.com/v1\nkind: Farm\nmetadata: { name: big }\nspec: { animals: 9 }",
      autoscaler("burner", deployment, BURNER),
      autoscaler("ordered", "apps/v1, kind: StatefulSet", "maxReplicas: 2"),
      autoscaler("big", "example.com/v1, kind: Farm", "maxReplicas: 5"),
      autoscaler("one", deployment, "maxReplicas: 5", "shared"),
      autoscaler("other", deployment, "maxReplicas: 5", "shared"),
      autoscaler("zero", deployment, "maxReplicas: 5"),
      autoscaler("lost", deployment, "maxReplicas: 5"),
      autoscaler("asked", deployment, ASKED),
    ].join("\n---\n"),
  );
}

/** A twentieth of what is asked for: under any load of the machine busy pods get as much. */
const BURNER = `minReplicas: 1
  maxReplicas: 3
  metrics: [{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 5 } } }]
  behavior: { scaleDown: { stabilizationWindowSeconds: 0 } }`;

const ASKED = `maxReplicas: 10
  metrics:
  - { type: Pods, pods: { metric: { name: rps }, target: { type: AverageValue, averageValue: "10" } } }
  - type: Object
    object:
      metric: { name: hits }
      describedObject: { apiVersion: v1, kind: Service, name: front }
      target: { type: AverageValue, averageValue: "50" }
  - { type: External, external: { metric: { name: queue }, target: { type: AverageValue, averageValue: "30" } } }`;

/** Another server, behind a Service, which knows how many requests pods have, and how long a queue is. */
async function startMetrics(): Promise<void> {
  server = await ExtensionServer.make("metrics.default.svc");
  const found =
    "get configmap extension-apiserver-authentication -n kube-system -o jsonpath={.data.requestheader-client-ca-file}";
  const address = await cluster.ok(`get node node-a -o jsonpath={.status.addresses[?(@.type=="InternalIP")].address}`);
  const port = await server.start(address, await cluster.ok(found));
  const list = (of: string, value: string) => json({ items: [{ describedObject: { name: of }, value }] });
  for (const group of [CUSTOM, EXTERNAL]) server.handlers.set(group, json({ kind: "APIResourceList", resources: [] }));
  server.handlers.set(`${CUSTOM}/namespaces/default/services/front/hits`, list("front", "150"));
  server.handlers.set(`${EXTERNAL}/namespaces/default/queue`, list("", "100"));
  server.handlers.set(`${CUSTOM}/namespaces/default/pods/*/rps`, (response, heard) => {
    void cluster
      .json<{ items: { metadata: { name: string } }[] }>("get pods -l app=asked")
      .then(({ items }) =>
        json({ items: items.map(({ metadata }) => ({ describedObject: metadata, value: "9500m" })) })(response, heard),
      )
      .catch(() => json({ kind: "Status", code: 500 }, 500)(response, heard));
  });
  const service = (group: string, version: string) => `
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: { name: ${version}.${group} }
spec:
  group: ${group}
  version: ${version}
  groupPriorityMinimum: 100
  versionPriority: 100
  caBundle: ${Buffer.from(server.ca).toString("base64")}
  service: { name: metrics, namespace: default }
`;
  await cluster.apply(`
apiVersion: v1
kind: Service
metadata: { name: metrics }
spec:
  selector: { app: metrics }
  ports: [{ port: 443, targetPort: ${port} }]
---
apiVersion: v1
kind: Pod
metadata: { name: metrics, labels: { app: metrics } }
spec:
  hostNetwork: true
  containers: [{ name: c, image: "busybox:test", command: [sleep, "6000"] }]
---
${service("custom.metrics.k8s.io", "v1beta2")}
---
${service("external.metrics.k8s.io", "v1beta1")}
`);
}

const hpa = (name: string) => cluster.json<HorizontalPodAutoscaler>(`get hpa ${name}`);

/** `AbleToScale=True ReadyForNewScale`, and so on. */
const conditions = async (name: string) =>
  ((await hpa(name)).status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);

const message = async (name: string, type: string) =>
  (await hpa(name)).status?.conditions?.find((condition) => condition.type === type)?.message;

const events = async (name: string) =>
  (
    await cluster.json<{ items: { reason: string; message: string; source: { component: string } }[] }>(
      `get events --field-selector=involvedObject.kind=HorizontalPodAutoscaler,involvedObject.name=${name}`,
    )
  ).items.map(({ reason, message: told, source }) => `${source.component} ${reason}: ${told}`);

const eventuallyHappened = (name: string, event: string) =>
  eventually(`an event of ${name} says ${event}`, async () => (await events(name)).includes(event));

const replicas = async (of: string, path = ".spec.replicas") =>
  Number(await cluster.ok(`get ${of} -o jsonpath={${path}}`));

const eventuallyScaled = (of: string, wanted: number, path?: string) =>
  eventually(`${of} has ${wanted} replicas`, async () => (await replicas(of, path)) === wanted);

const eventuallyTold = (name: string, condition: string) =>
  eventually(`${name} tells ${condition}`, async () => (await conditions(name)).includes(condition));

describe("a Deployment whose pods are busy", () => {
  test("grows to its maximum", async () => {
    await eventuallyScaled("deploy/burner", 3);
    const { status } = await eventually("all are counted", async () => {
      const told = await hpa("burner");
      const use = told.status?.currentMetrics?.[0]?.resource?.current?.averageUtilization ?? 0;
      return told.status?.currentReplicas === 3 && use > 0 && told;
    });
    expect(Date.parse(status?.lastScaleTime ?? "")).toBeGreaterThan(0);
    const row = /^burner\s+Deployment\/burner\s+cpu: \d+%\/5%\s+1\s+3\s+[123]\s+\S+\n$/;
    await eventually("the table shows it", async () => row.test(await cluster.ok("get hpa burner --no-headers")));
    await eventuallyTold("burner", "ScalingActive=True ValidMetricFound");
    await eventuallyHappened(
      "burner",
      "horizontal-pod-autoscaler SuccessfulRescale: New size: 3; reason: cpu resource utilization (percentage of request) above target",
    );
  });

  test("is described as kubectl describes it", async () => {
    const measured =
      /Metrics:\s+\( current \/ target \)\n\s+resource cpu on pods\s+\(as a percentage of request\):\s+\d+% \(\d+m\) \/ 5%/;
    const text = await eventually("it is measured", async () => {
      const described = await cluster.ok("describe hpa burner");
      return measured.test(described) && /ScalingActive\s+True/.test(described) && described;
    });
    expect(text).toMatch(/Deployment pods:\s+[123] current \/ [123] desired/);
    expect(text).toMatch(/ScalingActive\s+True\s+ValidMetricFound\s+the HPA was able to successfully calculate/);
  });

  test("is the same in the older version", async () => {
    type Older = {
      status: { currentCPUUtilizationPercentage?: number };
      metadata: { annotations: Record<string, string> };
    };
    const older = await eventually("it is measured", async () => {
      const found = await cluster.json<Older>("get horizontalpodautoscalers.v1.autoscaling burner");
      return (found.status.currentCPUUtilizationPercentage ?? 0) > 0 && found;
    });
    expect(older.metadata.annotations["autoscaling.alpha.kubernetes.io/conditions"]).toContain("ValidMetricFound");
  });

  test("shrinks when they are idle", async () => {
    rmSync(busy);
    await eventuallyScaled("deploy/burner", 1);
    await eventuallyHappened(
      "burner",
      "horizontal-pod-autoscaler SuccessfulRescale: New size: 1; reason: All metrics below target",
    );
    // By what an idle shell takes of a processor, one is as many as it needs, or more.
    const told = ["ScalingLimited=False DesiredWithinRange", "ScalingLimited=True TooFewReplicas"];
    await eventually("it tells of it", async () => (await conditions("burner")).some((one) => told.includes(one)));
  });
});

test("the bounds hold for whatever has a scale", async () => {
  await eventuallyScaled("rc/replicator", 2);
  await eventuallyScaled("statefulset/ordered", 2);
  await eventuallyScaled("farm/big", 5, ".spec.animals");
  await eventuallyHappened(
    "big",
    "horizontal-pod-autoscaler SuccessfulRescale: New size: 5; reason: Current number of replicas above Spec.MaxReplicas",
  );
  await eventuallyTold("big", "ScalingActive=False InvalidSelector");
});

test("metrics of other servers are asked for as APIServices say", async () => {
  await eventually("it asks for as many as the queue needs", async () => (await replicas("deploy/asked")) === 4);
  await eventuallyTold("asked", "AbleToScale=True ReadyForNewScale");
  await eventually("it tells of all of them", async () => {
    const { currentMetrics } = (await hpa("asked")).status ?? {};
    return currentMetrics?.map(({ type }) => type).join() === "Pods,Object,External";
  });
  await eventually("the table shows them", async () =>
    (await cluster.ok("get hpa asked --no-headers")).includes("9500m/10, 37500m/50 (avg) + 1 more..."),
  );
  await eventuallyHappened(
    "asked",
    "horizontal-pod-autoscaler SuccessfulRescale: New size: 4; reason: external metric queue(nil) above target",
  );
  const asked = server.heard.filter(({ path }) => path.endsWith("/queue"));
  expect(asked[0]?.headers["x-remote-user"]).toBe("system:serviceaccount:kube-system:horizontal-pod-autoscaler");
});

test("what cannot be scaled is told", async () => {
  await eventuallyTold("lost", "AbleToScale=False FailedGetScale");
  expect(await message("lost", "AbleToScale")).toBe(
    `the HPA controller was unable to get the target's current scale: deployments.apps "lost" not found`,
  );
  await eventuallyTold("zero", "ScalingActive=False ScalingDisabled");
  for (const name of ["one", "other"]) await eventuallyTold(name, "ScalingActive=False AmbiguousSelector");
  expect(await message("one", "ScalingActive")).toBe(
    "pods by selector app=shared are controlled by multiple HPAs: [default/one default/other]",
  );
  await eventuallyHappened(
    "other",
    "horizontal-pod-autoscaler AmbiguousSelector: pods by selector app=shared are controlled by multiple HPAs: [default/one default/other]",
  );
});

test("a target that comes later is found", async () => {
  await cluster.apply(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: lost }
spec:
  replicas: 7
${template("lost")}
`);
  await eventuallyScaled("deploy/lost", 5);
});
