/** Kubernetes' own controllers and scheduler, over Skerry's API, bring workloads on a real node to their end. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { files } from "../../agent/local/home.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { freePort } from "../support/free-port.ts";
import { Server } from "../support/server.ts";
import { upstreamProgram } from "../support/upstream.ts";

/** How long a node may say nothing, in s: its Lease is renewed more often, also on a busy machine. */
const GRACE_SECONDS = 300;

/**
 * What these programs log as errors in any cluster: they write by what they saw last, a namespace takes time to end, and
 * what is collected in it may have gone with it already.
 */
const USUAL = [
  /the object has been modified; please apply your changes to the latest version and try again/,
  /because it is being terminated/,
  /unexpected items still remain in namespace/,
  /"[^"]+" not found/,
  /Precondition failed: UID in precondition/,
  /informer cache is out of date/,
  // Where the whole machine stands still for a while.
  /TLS handshake timeout/,
  /context deadline exceeded/,
];

let cluster: TestCluster;
let programs: Server[] = [];

beforeAll(async () => {
  const manager = await upstreamProgram("kube-controller-manager", console.log);
  const scheduler = await upstreamProgram("kube-scheduler", console.log);
  cluster = await TestCluster.start({
    flags: ["--no-controllers", "--node-name", "node-a"],
    beside: async (starting) => {
      const kubeconfig = await eventually("the API answers", async () => {
        const { stdout } = await starting.kubectl("get --raw /readyz");
        return stdout === "ok" && files(starting.home).kubeconfig;
      });
      // What pods are to trust, which is not what serves this machine's users.
      const rootCa = join(starting.home, "root-ca.crt");
      const trusted =
        "get configmap -n kube-system extension-apiserver-authentication -o jsonpath={.data.client-ca-file}";
      writeFileSync(rootCa, await starting.ok(trusted));
      const { podCIDR, serviceCIDR } = JSON.parse(readFileSync(files(starting.home).ranges, "utf8"));
      const flags = async () => [
        `--kubeconfig=${kubeconfig}`,
        `--authentication-kubeconfig=${kubeconfig}`,
        `--authorization-kubeconfig=${kubeconfig}`,
        `--secure-port=${await freePort()}`,
        `--cert-dir=${join(starting.home, "certificates")}`,
        // Who leads does so on a busy machine too.
        "--leader-elect-lease-duration=150s",
        "--leader-elect-renew-deadline=120s",
        "--v=2",
      ];
      const managerFlags = [
        "--use-service-account-credentials",
        `--root-ca-file=${rootCa}`,
        "--allocate-node-cidrs",
        `--cluster-cidr=${podCIDR}`,
        `--service-cluster-ip-range=${serviceCIDR}`,
        "--node-monitor-period=1s",
        `--node-monitor-grace-period=${GRACE_SECONDS}s`,
      ];
      programs = [
        new Server(starting.home, "kube-controller-manager", manager, [...(await flags()), ...managerFlags]),
        new Server(starting.home, "kube-scheduler", scheduler, await flags()),
      ];
    },
  });
});
afterAll(async () => {
  for (const program of programs) await program.stop();
  await cluster?.stop();
});

const pod = (command: string) => `
      terminationGracePeriodSeconds: 5
      containers: [{ name: c, image: "busybox:test", command: [sh, -c, '${command}'] }]`;
const SERVE = 'trap "exit 0" TERM; sleep 1000 & wait';

describe("kube-controller-manager and kube-scheduler", () => {
  test("roll out a Deployment, a StatefulSet and a DaemonSet, and lead a Service to them", async () => {
    await cluster.apply(`
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: v1
kind: ResourceQuota
metadata: { name: most, namespace: shop }
spec: { hard: { pods: "20" } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: ${pod(SERVE)}
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: web, namespace: shop }
spec: { minAvailable: 1, selector: { matchLabels: { app: web } } }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db, namespace: shop }
spec:
  replicas: 2
  serviceName: db
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec: ${pod(SERVE)}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: each, namespace: shop }
spec:
  selector: { matchLabels: { app: each } }
  template:
    metadata: { labels: { app: each } }
    spec: ${pod(SERVE)}
`);
    const done = async (what: string) => cluster.ok(`rollout status -n shop ${what} --timeout=60s`);
    for (const what of ["deployment/web", "statefulset/db", "daemonset/each"]) await done(what);
    await cluster.ok("set env -n shop deployment/web VERSION=2");
    await cluster.ok("scale -n shop deployment/web --replicas=3");
    await done("deployment/web");
    const field = (what: string, path: string) =>
      cluster.ok(["get", "-n", "shop", ...what.split(" "), "-o", `jsonpath=${path}`]);
    await eventually(
      "the old ReplicaSet is empty",
      async () => (await field("rs", "{.items[*].spec.replicas}")).split(" ").toSorted().join() === "0,3",
    );
    await eventually("the Service leads to all", async () => {
      const ready = "{.items[*].endpoints[?(@.conditions.ready==true)].addresses[0]}";
      const addresses = await field("endpointslices -l kubernetes.io/service-name=web", ready);
      return addresses === "" ? false : addresses.split(" ").length === 3;
    });
    // Each is told from the last by its bytes.
    for (const label of ["app=db", "app=each"])
      expect(await field(`controllerrevisions -l ${label}`, "{.items[*].revision}")).toBe("1");
    await eventually("the budget counts", async () => (await field("pdb web", "{.status.currentHealthy}")) === "3");
    await eventually("the quota counts", async () => (await field("quota most", "{.status.used.pods}")) === "6");
  });

  test("bring a Job and a CronJob to their end", async () => {
    await cluster.apply(`
apiVersion: batch/v1
kind: Job
metadata: { name: sum, namespace: shop }
spec:
  completions: 3
  parallelism: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never ${pod('cat /var/run/secrets/kubernetes.io/serviceaccount/namespace; echo " $JOB_COMPLETION_INDEX"')}
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly, namespace: shop }
spec:
  schedule: "0 3 * * *"
  jobTemplate: { spec: { ttlSecondsAfterFinished: 1, template: { spec: { restartPolicy: Never, ${pod("true").trim().replaceAll("\n      ", ", ")} } } } }
`);
    await cluster.ok("wait -n shop --for=condition=Complete job/sum --timeout=60s");
    await eventually("each has said its own", async () => {
      const said = await cluster.ok("logs -n shop -l job-name=sum --prefix=false");
      expect(said.trim().split("\n").toSorted()).toEqual(["shop 0", "shop 1", "shop 2"]);
      return true;
    });
    await cluster.ok("create job -n shop tonight --from=cronjob/nightly");
    await cluster.ok("wait -n shop --for=delete job/tonight --timeout=60s");
  });

  test("collect what has lost its owner, and orphan what is to stay", async () => {
    await cluster.ok("delete -n shop deployment web --cascade=orphan");
    const sets = async () => (await cluster.ok("get rs -n shop -o name")).trim().split("\n").filter(Boolean);
    expect(await sets()).toHaveLength(2);
    await cluster.ok(["delete", "-n", "shop", ...(await sets()), "--cascade=foreground", "--timeout=60s"]);
    expect(await cluster.ok("get pods -n shop -l app=web -o name")).toBe("");
  });

  test("end a namespace with all that is in it, custom resources too", async () => {
    await cluster.apply(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: boats.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { plural: boats, singular: boat, kind: Boat }
  versions:
    - { name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object } } }
`);
    await cluster.ok("wait --for=condition=Established crd/boats.example.com --timeout=30s");
    await cluster.apply("apiVersion: example.com/v1\nkind: Boat\nmetadata: { name: skiff, namespace: shop }\n");
    await cluster.ok("delete namespace shop --timeout=90s");
    expect(await cluster.ok("get boats,pods,statefulsets,configmaps -n shop -o name")).toBe("");
    await cluster.ok("delete crd boats.example.com --timeout=30s");
  });

  test("never lost sight of the node", async () => {
    const events = await cluster.ok("get events -n default -o jsonpath={.items[*].reason}");
    expect(events).toContain("RegisteredNode");
    expect(events).not.toContain("NodeNotReady");
    expect(await cluster.ok("get node node-a -o jsonpath={.spec.taints}")).toBe("");
    const written = () => cluster.ok("get lease -n kube-node-lease node-a -o jsonpath={.metadata.resourceVersion}");
    const before = await written();
    await eventually("the Lease is renewed", async () => (await written()) !== before);
  });

  test("complain of nothing", () => {
    for (const program of programs) {
      expect(program.ended).toBe(false);
      const complaints = program
        .output()
        .split("\n")
        .filter((line) => /^[EWF]\d{4} /.test(line));
      expect(complaints.filter((line) => !USUAL.some((usual) => usual.test(line)))).toEqual([]);
    }
  });
});
