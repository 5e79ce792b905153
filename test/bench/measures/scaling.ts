/** Load and pods over time: what an autoscaler that goes by requests makes of load that comes, grows and goes. */
import { effects } from "../../../agent/effects.ts";
import { TestCluster } from "../../support/cluster.ts";
import { freePort } from "../../support/free-port.ts";
import { BUSYBOX_IMAGE } from "../../support/image.ts";
import type { Sizes } from "../measure.ts";
import { progress } from "../progress.ts";
import type { AnyGroup } from "../runner.ts";
import { SteadyLoad } from "../scaling/load.ts";
import { type Pods, scalingTable, writeScaling } from "../scaling/report.ts";

const HOST = "web.example.com";
const LOOK_EVERY_MS = 500;

const APPLICATION = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 0
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: c
          image: ${BUSYBOX_IMAGE}
          command: [sh, -c, "mkdir /www; echo web > /www/index.html; trap 'exit 0' TERM; httpd -p 8080 -h /www; sleep 3600 & wait"]
          readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
          lifecycle: { preStop: { sleep: { seconds: 2 } } }
---
apiVersion: v1
kind: Service
metadata: { name: web, annotations: { skerry.dev/scale-to-zero: 20s } }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec: { defaultBackend: { service: { name: web, port: { number: 80 } } } }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
  minReplicas: 1
  maxReplicas: 8
  behavior: { scaleDown: { stabilizationWindowSeconds: 0 } }
  metrics:
    - type: Object
      object:
        describedObject: { apiVersion: v1, kind: Service, name: web }
        metric: { name: requests_per_second }
        target: { type: AverageValue, averageValue: "10" }
`;

type Deployment = { spec: { replicas: number }; status?: { readyReplicas?: number } };

/** It has no peer and one round: its result is a picture. */
export const scaling = ({ phases, isSaved }: Sizes["scaling"]): AnyGroup => ({
  name: "scaling",
  measures: ["load and pods"],
  async run({ only, sides, failed }) {
    if (!sides.includes("skerry") || (only && !only.test("scaling: load and pods"))) return [];
    const port = await freePort();
    const ports = ["--ingress-http-port", String(port), "--ingress-https-port", "0"];
    const cluster = await TestCluster.start({ flags: ["--node-name", "node-a", ...ports] });
    try {
      await cluster.apply(APPLICATION);
      const warm = new SteadyLoad(port, HOST);
      while (!warm.sent.some(({ status }) => status === 200)) {
        warm.send();
        await warm.over();
        await effects.sleep(LOOK_EVERY_MS);
      }
      const pods: Pods[] = [];
      await until(cluster, pods, 0, ({ wanted, ready }) => wanted + ready === 0);
      const load = new SteadyLoad(port, HOST);
      pods.length = 0;
      let isOver = false;
      const watching = until(cluster, pods, performance.now(), ({ wanted, ready }) => isOver && wanted + ready === 0);
      for (const [seconds, perSecond] of phases) {
        progress(`scaling: ${perSecond} requests a second for ${seconds} s`);
        await load.run(seconds, perSecond);
      }
      await load.over();
      isOver = true;
      await watching;
      const run = { sent: load.sent, pods };
      process.stdout.write(`${scalingTable(run)}\n`);
      if (isSaved) writeScaling(run);
    } catch (error) {
      failed(`scaling: ${error instanceof Error ? error.message : error}`);
    } finally {
      await cluster.stop();
    }
    return [];
  },
});

/** Looks at the pods now and then until `isEnd`; `start` as `performance.now` had it. */
async function until(cluster: TestCluster, pods: Pods[], start: number, isEnd: (pods: Pods) => boolean): Promise<void> {
  for (;;) {
    const { spec, status } = await cluster.json<Deployment>("get deployment web");
    const seen = { atMs: performance.now() - start, wanted: spec.replicas, ready: status?.readyReplicas ?? 0 };
    pods.push(seen);
    if (isEnd(seen)) return;
    await effects.sleep(LOOK_EVERY_MS);
  }
}
