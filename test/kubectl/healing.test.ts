/** What happens without anyone awake: updates under load, crashes, hogs, failing probes. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { effects } from "../../agent/effects.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { fetchText, startLoad } from "../support/http.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
});
afterAll(async () => {
  await cluster?.stop();
});

type Status = {
  status: {
    podIP: string;
    containerStatuses: {
      restartCount: number;
      ready: boolean;
      state: Record<string, { reason?: string; exitCode?: number }>;
      lastState: Record<string, { reason?: string; exitCode?: number; finishedAt?: string }>;
    }[];
  };
};
const statusOf = async (pod: string) => (await cluster.json<Status>(`get pod ${pod}`)).status.containerStatuses[0];

describe("a rolling update under constant load", () => {
  const application = (version: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  replicas: 3
  strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      terminationGracePeriodSeconds: 60
      containers:
        - name: server
          image: busybox:test
          command: [sh, -c, 'mkdir -p /tmp/www; echo ${version} >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www']
          readinessProbe: { httpGet: { path: /index.html, port: 8080 }, periodSeconds: 1 }
          lifecycle: { preStop: { exec: { command: [sleep, "10"] } } }
---
apiVersion: v1
kind: Service
metadata: { name: shop }
spec: { type: NodePort, selector: { app: shop }, ports: [{ port: 80, targetPort: 8080 }] }
`;

  test("loses no request on the Service's address or its NodePort", async () => {
    await cluster.apply(application("one"));
    await cluster.ok("rollout status deployment/shop --timeout=60s");
    const service = await cluster.json<{ spec: { clusterIP: string; ports: { nodePort: number }[] } }>(
      "get service shop",
    );
    const urls = [
      `http://${service.spec.clusterIP}/index.html`,
      `http://127.0.0.1:${service.spec.ports[0]?.nodePort}/index.html`,
    ];
    for (const url of urls) await eventually(url, async () => (await fetchText(url)) === "one\n");
    const stop = startLoad(urls, 4);
    await effects.sleep(500);
    await cluster.apply(application("two"));
    await cluster.ok("rollout status deployment/shop --timeout=90s");
    await eventually("the pods of before are gone", async () => {
      const rows = (await cluster.ok("get pods -l app=shop --no-headers")).trim().split("\n");
      return rows.length === 3 && !rows.some((row) => row.includes("Terminating"));
    });
    await effects.sleep(500); // for clients to ask once more
    const { answers, errors } = await stop();
    expect(errors).toEqual([]);
    expect(answers[0]).toBe("one\n");
    expect(answers.at(-1)).toBe("two\n");
    await cluster.ok("delete deployment,service shop");
  });
});

describe("containers that end", () => {
  test("a process that exits is restarted, with backoff, and its last state tells how it ended", async () => {
    await cluster.ok(["run", "exits", "--image=busybox:test", "--", "sh", "-c", "echo once; exit 3"]);
    await eventually("two restarts", async () => ((await statusOf("exits"))?.restartCount ?? 0) >= 2);
    const seen = await eventually("the backoff", async () => {
      const status = await statusOf("exits");
      return status?.state.waiting?.reason === "CrashLoopBackOff" && status;
    });
    expect(seen.lastState.terminated).toMatchObject({ exitCode: 3, reason: "Error" });
    await eventually("the table shows it", async () =>
      /exits\s+0\/1\s+CrashLoopBackOff\s+\d+ \(\w+ ago\)/.test(await cluster.ok("get pod exits --no-headers")),
    );
    await eventually("what it said", async () => (await cluster.ok("logs exits --previous")) === "once\n");
    await eventually("an event", async () =>
      (await cluster.ok("events --for pod/exits")).includes("Back-off restarting failed container"),
    );
    await cluster.ok("delete pod exits --grace-period=1");
  });

  test("a memory hog is OOMKilled and says so", async () => {
    await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: hog }
spec:
  restartPolicy: Never
  containers:
    - name: hog
      image: busybox:test
      command: [sh, -c, 'exec tail /dev/zero']
      resources: { limits: { memory: 32Mi } }
`);
    const status = await eventually("its end", async () => {
      const now = await statusOf("hog");
      return now?.state.terminated && now;
    });
    expect(status.state.terminated).toMatchObject({ reason: "OOMKilled", exitCode: 137 });
    expect(await cluster.ok("get pod hog --no-headers")).toMatch(/hog\s+0\/1\s+OOMKilled/);
    await cluster.ok("delete pod hog");
  });

  test("a failing liveness probe restarts its container", async () => {
    await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: sick }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: sick
      image: busybox:test
      command: [sh, -c, 'touch /tmp/alive; sleep 4; rm /tmp/alive; exec sleep 600']
      livenessProbe: { exec: { command: [cat, /tmp/alive] }, periodSeconds: 1, failureThreshold: 2 }
`);
    await eventually("a restart", async () => ((await statusOf("sick"))?.restartCount ?? 0) >= 1);
    for (const event of ["Liveness probe failed", "Container sick failed liveness probe, will be restarted"])
      await eventually(event, async () => (await cluster.ok("events --for pod/sick")).includes(event));
    await cluster.ok("delete pod sick --grace-period=1");
  });

  test("an unready pod leaves the endpoints within a probe period, and comes back", async () => {
    await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: { name: moody, labels: { app: moody } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: moody
      image: busybox:test
      command: [sh, -c, 'touch /tmp/ready; exec sleep 600']
      readinessProbe: { exec: { command: [cat, /tmp/ready] }, periodSeconds: 1, failureThreshold: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: moody }
spec: { selector: { app: moody }, ports: [{ port: 80 }] }
`);
    const ready = async () =>
      (
        await cluster.ok(
          "get endpointslices -l kubernetes.io/service-name=moody -o jsonpath={.items[*].endpoints[*].conditions.ready}",
        )
      ).trim();
    await eventually("an endpoint", async () => (await ready()) === "true");
    await cluster.ok("exec moody -- rm /tmp/ready");
    await eventually("no ready endpoint", async () => (await ready()) === "false");
    expect(await cluster.ok("get pod moody --no-headers")).toMatch(/moody\s+0\/1\s+Running/);
    await cluster.ok("exec moody -- touch /tmp/ready");
    await eventually("ready again", async () => (await ready()) === "true");
    await cluster.ok("delete pod,service moody --grace-period=1");
  });
});
