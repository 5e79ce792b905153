/** Two machines: pods spread, Services balance over both, drain and cordon, the death of a node and its return. */
import { readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, TestCluster } from "../support/cluster.ts";
import { joinArguments, type Lan, Machine, makeLan } from "../support/machine.ts";
import { checked } from "../support/programs.ts";
import { traces } from "../support/traces.ts";

/** Manifests and configurations are smaller. */
const LEAST_LAYER_BYTES = 100_000;

let lan: Lan;
let cluster: TestCluster;
let second: Machine;
let joining: string[];

beforeAll(async () => {
  lan = await makeLan();
  cluster = await TestCluster.start({ nodeIp: lan.host });
  second = await Machine.make("node-b", lan, 2);
  cluster.machines.push(second);
});
afterAll(async () => {
  await cluster?.stop();
  await lan?.remove();
});

const nodesOf = async (label: string) =>
  (await cluster.ok(`get pods -l ${label} -o jsonpath={.items[*].spec.nodeName}`)).split(" ").toSorted();
const isReady = async (node: string) =>
  (await cluster.ok(["get", "node", node, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'])) ===
  "True";

describe("a second machine", () => {
  test("joins by the printed command and becomes Ready", async () => {
    const created = await cluster.skerry("token", "create");
    expect(created.stdout).toMatch(/^skerry join https:\/\/\S+ --token \S+ --ca-hash sha256:[0-9a-f]{64}\n$/);
    joining = joinArguments(created.stdout, lan);
    await second.join(joining);
    await eventually("node-b is Ready", () => isReady("node-b"));
    await eventually("both are shown", async () => {
      const rows = (await cluster.ok("get nodes -o wide --no-headers")).trim().split("\n");
      expect(rows.map((row) => row.split(/\s+/).slice(0, 2))).toEqual([
        ["node-a", "Ready"],
        ["node-b", "Ready"],
      ]);
      expect(rows[1]).toContain(second.address);
      return true;
    });
  });

  test("a wrong fingerprint and a wrong token are refused", async () => {
    const stranger = await Machine.make("node-x", lan, 9);
    try {
      const [url = "", , , , hash = ""] = joining;
      await expect(stranger.join([url, "--token", "x", "--ca-hash", `sha256:${"0".repeat(64)}`])).rejects.toThrow(
        "presents no certificate",
      );
      await expect(stranger.join([url, "--token", "wrong", "--ca-hash", hash])).rejects.toThrow("401");
    } finally {
      await stranger.remove();
    }
    expect((await cluster.kubectl("get node node-x")).code).toBe(1);
  });

  test("pods spread over both, and a Service answers from both", async () => {
    await cluster.apply(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 4
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      tolerations:
        - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 5 }
        - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 5 }
      containers:
        - name: server
          image: busybox:test
          command: [sh, -c, 'mkdir -p /tmp/www; echo $NODE >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www']
          env: [{ name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }]
          readinessProbe: { httpGet: { path: /index.html, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { type: NodePort, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
`);
    await cluster.ok("rollout status deployment/web --timeout=60s");
    const nodePort = await cluster.ok("get service web -o jsonpath={.spec.ports[0].nodePort}");
    expect(await nodesOf("app=web")).toEqual(["node-a", "node-a", "node-b", "node-b"]);
    for (const node of ["node-a", "node-b"]) {
      const name = `client-${node}`;
      await cluster.ok([
        "run",
        name,
        "--image=busybox:test",
        `--overrides={"spec":{"nodeName":"${node}"}}`,
        "--",
        "sleep",
        "600",
      ]);
      await cluster.ok(`wait --for=condition=Ready pod/${name} --timeout=30s`);
      for (const place of ["web", `${lan.host}:${nodePort}`, `${second.address}:${nodePort}`]) {
        const script = `for i in $(seq 20); do timeout 10 wget -qO- http://${place}/index.html || echo nothing; done`;
        await eventually(`both answer at ${place} from ${node}`, async () => {
          const answers = await cluster.ok(["exec", name, "--", "sh", "-c", script]);
          expect([...new Set(answers.trim().split("\n"))].toSorted()).toEqual(["node-a", "node-b"]);
          return true;
        });
      }
    }
  });

  test("logs and exec reach the other machine", async () => {
    await eventually("exec", async () => (await cluster.ok("exec client-node-b -- hostname")) === "client-node-b\n");
    const pod =
      (await cluster.ok("get pods -l app=web --field-selector spec.nodeName=node-b -o name")).split("\n")[0] ?? "";
    expect((await cluster.kubectl(["logs", pod])).code).toBe(0);
  });

  test("pods reach the API at kubernetes.default with their token and CA", async () => {
    const script =
      "D=/var/run/secrets/kubernetes.io/serviceaccount; test -s $D/token && test -s $D/ca.crt && cat $D/namespace; nslookup kubernetes.default.svc.cluster.local | tail -3";
    await eventually("all is there", async () =>
      /^default[\s\S]*Address: 10\./.test(await cluster.ok(["exec", "client-node-b", "--", "sh", "-c", script])),
    );
  });

  /** The cluster's own image, by the names that node-a has for the registry; node-b has the second. */
  const names = () => ["127.0.0.1", lan.host].map((host) => `${host}:${cluster.port}/team/app:1`) as [string, string];
  /** Pods that pull an image, each as `name`, node, image; resolves when they run. */
  async function pull(...pods: [name: string, node: string, image: string][]): Promise<void> {
    const manifests = pods.map(
      ([name, node, image]) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: pulls } }
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 1
  containers: [{ name: c, image: "${image}", imagePullPolicy: Always, command: [sleep, "600"] }]
`,
    );
    await cluster.apply(manifests.join("---"));
    try {
      await cluster.ok("wait --for=condition=Ready pod -l app=pulls");
    } catch (error) {
      const described = await cluster.ok("describe pods -l app=pulls");
      throw new Error(`${(error as Error).message}\n${described}\n${cluster.logs()}\n${second.log()}`);
    }
  }
  const agentLog = () => readFileSync(join(cluster.home, "log/agent.log"), "utf8");

  test("images of the cluster's own registry come without a Secret, by the host that a node joined", async () => {
    const [here, there] = names();
    await cluster.load({ tag: there, users: "app:x:1000:1000::/:/bin/sh\n" });
    await cluster.push(there);
    await pull(["pulls-here", "node-a", here], ["pulls-outside", "node-a", there]);
  });

  test("and their layers from another node of the network: the registry need not give them twice", async () => {
    const bucket = join(cluster.home, "bucket/default/registry");
    const layers = readdirSync(bucket, { recursive: true, encoding: "utf8" })
      .map((file) => join(bucket, file))
      .filter((file) => statSync(file).isFile() && statSync(file).size > LEAST_LAYER_BYTES);
    expect(layers.length).toBeGreaterThan(0);
    for (const layer of layers) renameSync(layer, `${layer}.away`);
    try {
      await pull(["pulls-there", "node-b", names()[1]]);
    } finally {
      for (const layer of layers) renameSync(`${layer}.away`, layer);
    }
    expect(second.log()).toMatch(/images: \d+\.\d MB came from node node-a/);
    expect(await cluster.ok("exec pulls-there -- cat /etc/passwd")).toContain("app:x:1000");
    await cluster.ok("delete pods -l app=pulls");
  });

  test("cordon keeps new pods away, drain moves the others, uncordon lets them back", async () => {
    await cluster.ok("cordon node-b");
    expect(await cluster.ok("get node node-b --no-headers")).toMatch(/Ready,SchedulingDisabled/);
    const drained = await cluster.ok("drain node-b --ignore-daemonsets --delete-emptydir-data --force --timeout=60s");
    expect(drained).toContain("node/node-b drained");
    await eventually(
      "all pods are on node-a",
      async () => (await nodesOf("app=web")).join() === "node-a,node-a,node-a,node-a",
    );
    await cluster.ok("rollout status deployment/web --timeout=60s");
    await cluster.ok("uncordon node-b");
    await cluster.ok("rollout restart deployment/web");
    await cluster.ok("rollout status deployment/web --timeout=60s");
    await eventually("pods on both", async () => new Set(await nodesOf("app=web")).size === 2);
  });

  const lent = () => lan.address(200);
  /** As a machine of the network sees it that is no node. */
  const fromLan = async (url: string) => {
    const script = `fetch("${url}", { signal: AbortSignal.timeout(10_000) }).then((got) => got.text()).then(console.log)`;
    return (await checked("ip", ["netns", "exec", lan.switch, process.execPath, "-e", script])).stdout;
  };
  const answersInLan = async () => /^node-[ab]$/m.test(await fromLan(`http://${lent()}/index.html`));
  const announcer = () =>
    cluster.ok(["get", "service", "web", "-o", "jsonpath={.metadata.annotations.skerry\\.dev/announced-by}"]);

  test("a load balancer has an address of the local network, which one of the nodes answers for", async () => {
    await checked("ip", ["-n", lan.switch, "address", "add", `${lan.address(250)}/24`, "dev", "br0"]);
    await cluster.ok(`-n kube-system create configmap load-balancer-addresses --from-literal=addresses=${lent()}`);
    await cluster.ok("annotate service web skerry.dev/announced-by=node-b");
    await cluster.ok(["patch", "service", "web", "-p", '{"spec":{"type":"LoadBalancer"}}']);
    await eventually("it has it", async () => (await cluster.ok("get service web")).includes(` ${lent()} `));
    await eventually("node-b announces it", async () => (await announcer()) === "node-b");
    await eventually("it answers", answersInLan);
  });

  test("a node that dies is NotReady, its pods are replaced after their tolerationSeconds, and its return is clean", async () => {
    await second.powerOff();
    await eventually("node-b is NotReady", async () => !(await isReady("node-b")));
    await eventually("its taints", async () =>
      (await cluster.ok("get node node-b -o jsonpath={.spec.taints[*].key}")).includes("unreachable"),
    );
    await eventually("four ready pods on node-a", async () => {
      const rows = (await cluster.ok("get pods -l app=web -o wide --no-headers")).trim().split("\n");
      return rows.filter((row) => /1\/1\s+Running/.test(row) && row.includes("node-a")).length === 4;
    });
    await eventually("node-a announces it", async () => (await announcer()) === "node-a");
    await eventually("the load balancer answers", answersInLan);

    // Whoever may have its layers is away: they come from the registry.
    await cluster.nerdctl("rmi", "-f", ...names());
    await pull(["pulls-again", "node-a", names()[0]]);
    expect(agentLog()).toContain("images: none from node node-b for 60 s: ");
    await cluster.ok("delete pods -l app=pulls");

    await second.powerOn();
    await second.join([joining[0] ?? ""]);
    await eventually("node-b is Ready again", () => isReady("node-b"));
    await eventually(
      "its taints are gone",
      async () => (await cluster.ok("get node node-b -o jsonpath={.spec.taints}")) === "",
    );
    await eventually("what was replaced is gone", async () => (await nodesOf("app=web")).length === 4);
    await eventually("no container of it is left there", async () => {
      const { stdout } = await second.nerdctl("ps", "-a", "-q", "--filter", "label=skerry.dev/pod-namespace=default");
      const pods = (await cluster.ok("get pods --field-selector spec.nodeName=node-b -o name")).trim();
      return pods === "" ? stdout.trim() === "" : true;
    });
  });

  test("one that is uninstalled leaves nothing on its machine, and tells who removes its Node", async () => {
    await pull(["stays", "node-b", names()[1]]);
    const left = () => traces(second.home, "node-b", (...program) => second.run(...program));
    const before = await left();
    for (const place of ["links", "tables", "namespaces", "cgroups", "mounts", "processes", "files"])
      expect(before[place], place).not.toEqual([]);
    const done = await second.skerry("uninstall", "--yes");
    expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining("  kubectl delete node node-b\n") });
    await eventually("nothing is left", async () => {
      const found = Object.entries(await left()).filter(([, what]) => what.length > 0);
      const links = (await second.run("ip", "-o", "link")).stdout.match(/^\d+: [^:@]+/gm) ?? [];
      const others = links.filter((link) => !/: (lo|eth0)$/.test(link));
      const rules = (await second.run("nft", "list", "ruleset")).stdout;
      if (found.length + others.length > 0 || rules !== "") throw new Error(JSON.stringify({ found, others, rules }));
      return true;
    });
    await cluster.ok("delete node node-b");
    await eventually("its pods are gone with it", async () => !(await nodesOf("app=web")).includes("node-b"));
  });
});
