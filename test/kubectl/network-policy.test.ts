/** NetworkPolicies on two machines: who reaches whom, over pods' addresses and a Service's, under each kind of rule. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { identityOf } from "../../agent/network/identity.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { joinArguments, type Lan, Machine, makeLan } from "../support/machine.ts";
import { checked } from "../support/programs.ts";

let lan: Lan;
let cluster: TestCluster;
let second: Machine;

/** All that is probed, by name: `HOST:PORT`. */
const places: Record<string, string> = {};

const SERVER =
  "mkdir -p /tmp/www; echo here >/tmp/www/index.html; for p in 8081 8090; do httpd -p $p -h /tmp/www; done; nc -ll -p 9000 -e cat & exec httpd -f -p 8080 -h /tmp/www";

type Shape = { node: string; app: string; more?: string; command?: string };

const pod = (namespace: string, name: string, { node, app, more = "", command = "exec sleep 100000" }: Shape) => `
---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: { app: ${app} } }
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 0
  ${more}
  containers:
    - name: c
      image: busybox:test
      command: [sh, -c, '${command}']${
        command === SERVER
          ? `
      ports: [{ name: http, containerPort: 8080 }, { name: metrics, containerPort: 8081 }]
      readinessProbe: { httpGet: { path: /index.html, port: 8080 }, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 1 }`
          : ""
      }`;

beforeAll(async () => {
  lan = await makeLan();
  cluster = await TestCluster.start({ nodeIp: lan.host });
  second = await Machine.make("node-b", lan, 2);
  cluster.machines.push(second);
  await second.join(joinArguments((await cluster.skerry("token", "create")).stdout, lan));
  await cluster.apply(`
apiVersion: v1
kind: Namespace
metadata: { name: nx }
---
apiVersion: v1
kind: Namespace
metadata: { name: ny, labels: { team: blue } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: nx }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }`);
  await eventually("service accounts", async () => (await cluster.ok("get sa default -n ny -o name")) !== "");
  await cluster.apply(
    [
      pod("nx", "web", { node: "node-a", app: "web", command: SERVER }),
      pod("nx", "near", { node: "node-a", app: "client" }),
      pod("nx", "far", { node: "node-b", app: "client" }),
      pod("nx", "other", { node: "node-b", app: "other" }),
      pod("ny", "near", { node: "node-a", app: "client" }),
      pod("ny", "far", { node: "node-b", app: "other" }),
      pod("ny", "host", { node: "node-a", app: "client", more: "hostNetwork: true" }),
    ].join(""),
  );
  await cluster.ok("wait --for=condition=Ready pod --all -n nx --timeout=60s");
  await cluster.ok("wait --for=condition=Ready pod --all -n ny --timeout=60s");
  const web = await address("nx", "web");
  places.pod = `${web}:8080`;
  places.metrics = `${web}:8081`;
  places.high = `${web}:8090`;
  places.service = `${await cluster.ok("get svc web -n nx -o jsonpath={.spec.clusterIP}")}:80`;
  places.name = "web.nx.svc.cluster.local:80";
});

afterAll(async () => {
  await cluster?.stop();
  await lan?.remove();
});

const address = (namespace: string, name: string) =>
  cluster.ok(["get", "pod", name, "-n", namespace, "-o", "jsonpath={.status.podIP}"]);

const inside = (who: string, script: string) => {
  const [namespace = "", name = ""] = who.split("/");
  return cluster.ok(["exec", "-n", namespace, name, "--", "sh", "-c", script]);
};

/** An answer is waited for so long, at most. */
const MOST_SECONDS = 10;

/** Which of the places a pod reaches, each asked for at the same time. */
async function reached(who: string, names: readonly string[], seconds: number): Promise<string[]> {
  const asks = names.map(
    (name) => `(timeout ${seconds} wget -q -O /dev/null http://${places[name]}/index.html && echo ${name}) &`,
  );
  const said = await inside(who, `(${asks.join(" ")} wait) 2>/dev/null; true`);
  return said.split("\n").filter(Boolean).toSorted();
}

/** By pod, which of the places it reaches in the end, and no others. */
async function reaches(expected: Record<string, string>, of = ["pod", "service"]): Promise<void> {
  const found: Record<string, string> = {};
  let seconds = 1;
  await eventually(`reach ${JSON.stringify(expected)}`, async () => {
    for (const [who, words] of await Promise.all(
      Object.keys(expected).map(async (who) => [who, (await reached(who, of, seconds)).join(" ")] as const),
    ))
      found[who] = words;
    seconds = Math.min(2 * seconds, MOST_SECONDS); // a busy machine answers late
    if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(JSON.stringify(found));
    return true;
  });
}

const ALL = "pod service";
const EVERYONE = { "nx/near": ALL, "nx/far": ALL, "nx/other": ALL, "ny/near": ALL, "ny/far": ALL, "ny/host": ALL };
const NOBODY = { "nx/near": "", "nx/far": "", "nx/other": "", "ny/near": "", "ny/far": "" };

type Rule = Record<string, unknown>;
const json = JSON.stringify;

/** Ingress to the web pod, in place of what was said before. */
const ingress = (name: string, ...rules: Rule[]) =>
  policy(name, { podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Ingress"], ingress: rules });

async function policy(name: string, spec: Rule): Promise<void> {
  const object = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "nx" },
    spec,
  };
  await cluster.apply(json(object));
}

const remove = (...names: string[]) => cluster.ok(["delete", "netpol", "-n", "nx", ...names]);
const app = (name: string) => ({ matchLabels: { app: name } });
const team = { matchLabels: { team: "blue" } };
/** The nodes that have a table for policies. */
async function tables(): Promise<string[]> {
  const { table } = identityOf({ home: cluster.home, clusterName: "default", nodeName: "node-a" });
  const here = await checked("nft", ["list", "tables"]);
  const there = await second.run("nft", "list", "tables");
  expect(here.stdout).toContain(table);
  return [
    ...(here.stdout.includes(`${table}-policies`) ? ["node-a"] : []),
    ...(there.stdout.includes("-policies") ? ["node-b"] : []),
  ];
}

describe("into a pod", () => {
  test("everyone may come while no policy selects it, and the node has no table for any", async () => {
    await reaches(EVERYONE);
    expect(await tables()).toEqual([]);
  });

  test("nobody may but itself and its own node, once one does that allows nothing", async () => {
    await ingress("p");
    await reaches({ ...NOBODY, "ny/host": ALL, "nx/web": ALL });
    const { stdout } = await checked("busybox", ["wget", "-q", "-O", "-", `http://${places.pod}/index.html`]);
    expect(stdout).toBe("here\n");
  });

  test("pods of its namespace may that are selected, and those of other namespaces not", async () => {
    await ingress("p", { from: [{ podSelector: app("client") }] });
    await reaches({ ...NOBODY, "nx/near": ALL, "nx/far": ALL });
  });

  test("all pods of selected namespaces may", async () => {
    await ingress("p", { from: [{ namespaceSelector: team }] });
    await reaches({ ...NOBODY, "ny/near": ALL, "ny/far": ALL });
  });

  test("selected pods of selected namespaces may, and pods of every namespace", async () => {
    await ingress("p", { from: [{ namespaceSelector: team, podSelector: app("client") }] });
    await reaches({ ...NOBODY, "ny/near": ALL });
    await ingress("p", { from: [{ namespaceSelector: {} }] });
    await reaches(EVERYONE);
  });

  test("who has an address of a range may, less those that are excepted", async () => {
    const except = [`${await address("nx", "far")}/32`];
    await ingress("p", { from: [{ ipBlock: { cidr: "10.0.0.0/8", except } }] });
    await reaches({ ...NOBODY, "nx/near": ALL, "nx/other": ALL, "ny/near": ALL, "ny/far": ALL });
  });

  test("by numbers, names and ranges of ports, of the protocol that is said", async () => {
    const ports = ["pod", "metrics", "high"];
    await ingress("p", { ports: [{ port: 8080 }] });
    await reaches({ "nx/far": "pod", "ny/near": "pod" }, ports);
    await ingress("p", { ports: [{ port: "metrics" }] });
    await reaches({ "nx/far": "metrics", "ny/near": "metrics" }, ports);
    await ingress("p", { ports: [{ port: 8081, endPort: 8090 }] });
    await reaches({ "nx/far": "high metrics" }, ports);
    await ingress("p", { ports: [{ port: 8080, protocol: "UDP" }] });
    await reaches({ "nx/far": "", "ny/near": "" }, ports);
  });

  test("by what any of several policies allows", async () => {
    await ingress("p", { from: [{ podSelector: app("other") }] });
    await ingress("q", { from: [{ namespaceSelector: team }] });
    await reaches({ ...NOBODY, "nx/other": ALL, "ny/near": ALL, "ny/far": ALL });
  });

  test("as labels say at the time, of pods and of namespaces", async () => {
    await cluster.ok("label pod near -n nx app=other --overwrite");
    await cluster.ok("label namespace ny team-");
    await reaches({ ...NOBODY, "nx/near": ALL, "nx/other": ALL });
    await cluster.ok("label pod near -n nx app=client --overwrite");
    await cluster.ok("label namespace ny team=blue");
    await reaches({ ...NOBODY, "nx/other": ALL, "ny/near": ALL, "ny/far": ALL });
    await remove("q");
  });
});

test("connections that are there go on, and probes too, while an agent dies and comes back", async () => {
  await ingress("p", {});
  await reaches({ "nx/far": ALL });
  const [host] = (places.pod ?? "").split(":");
  const speak = `(echo one; while [ ! -f /tmp/go ]; do sleep 0.1; done; echo two; sleep 1) | nc ${host} 9000 >/tmp/heard`;
  await inside("nx/far", `(${speak}) >/dev/null 2>&1 & true`);
  await eventually("the connection", async () => (await inside("nx/far", "cat /tmp/heard")) === "one\n");
  await ingress("p");
  await reaches(NOBODY);
  const knock = `timeout 1 wget -q -O /dev/null http://${places.pod}/index.html && echo in >>/tmp/in`;
  const knocking = `until [ -f /tmp/enough ]; do ${knock}; sleep 0.1; done; touch /tmp/over`;
  await inside("nx/other", `(${knocking}) >/dev/null 2>&1 & true`);
  await cluster.kill("agent");
  await eventually("another agent", async () => cluster.pid("agent") > 0);
  await eventually("the node's API", async () => (await inside("nx/web", "echo x")) === "x\n");
  await reaches({ ...NOBODY, "ny/host": ALL });
  await inside("nx/far", "touch /tmp/go");
  await eventually("an answer", async () => (await inside("nx/far", "cat /tmp/heard")) === "one\ntwo\n");
  // It ends before it may come in: a loop that nothing slows down would fill the machine with processes.
  await inside("nx/other", "touch /tmp/enough; until [ -f /tmp/over ]; do sleep 0.1; done");
  expect(await inside("nx/other", "cat /tmp/in 2>/dev/null; true")).toBe("");
  await eventually("a pod whose probe is answered", async () =>
    /^web\s+1\/1\s+Running\s+0\s/.test(await cluster.ok("get pod web -n nx --no-headers")),
  );
  await remove("p");
});

describe("out of a pod", () => {
  const NAMES = ["pod", "metrics", "name"];
  const dns = {
    to: [
      {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
        podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
      },
    ],
    ports: [{ port: 53, protocol: "UDP" }],
  };
  const egress = (...rules: Rule[]) =>
    policy("out", { podSelector: app("client"), policyTypes: ["Egress"], egress: rules });

  test("nothing goes once a policy selects it that allows nothing, names neither", async () => {
    await egress();
    await reaches(
      { "nx/near": "", "nx/far": "", "nx/other": "metrics name pod", "ny/near": "metrics name pod" },
      NAMES,
    );
  });

  test("it reaches selected pods behind their Service, and names where DNS is allowed", async () => {
    await egress({ to: [{ podSelector: app("web") }], ports: [{ port: "http" }] });
    await reaches({ "nx/near": "pod service", "nx/far": "pod service" }, [...NAMES, "service"]);
    await egress({ to: [{ podSelector: app("web") }], ports: [{ port: 8080 }] }, dns);
    await reaches({ "nx/near": "name pod", "nx/far": "name pod" }, NAMES);
    await egress({ to: [{ ipBlock: { cidr: `${(places.pod ?? "").split(":")[0]}/32` } }] });
    await reaches({ "nx/near": "metrics pod", "nx/far": "metrics pod" }, NAMES);
  });

  test("a pod never sends what its policy refuses, not even at first", async () => {
    const command = `exec 2>/dev/null; for i in 1 2 3; do timeout 1 wget -q -O /dev/null http://${places.pod}/index.html && echo reached; done; echo done`;
    // Who may is given all the time that it takes.
    const free = `until timeout 5 wget -q -O /dev/null http://${places.pod}/index.html; do sleep 0.2; done; echo reached`;
    await egress();
    const shape = { command, more: "restartPolicy: Never" };
    await cluster.apply(
      [
        pod("nx", "held", { node: "node-b", app: "client", ...shape }),
        pod("nx", "held-too", { node: "node-a", app: "client", ...shape }),
        pod("nx", "free", { node: "node-b", app: "other", ...shape, command: free }),
      ].join(""),
    );
    const done = "wait --for=jsonpath={.status.phase}=Succeeded pod -n nx --timeout=60s";
    await cluster.ok(`${done} held held-too free`);
    const said = (name: string) =>
      eventually(`what ${name} said`, async () => (await cluster.ok(`logs -n nx ${name} -c c`)) || false);
    expect([await said("held"), await said("held-too")]).toEqual(["done\n", "done\n"]);
    expect(await said("free")).toContain("reached\n");
  });
});

test("what is gone of policies is gone from the kernel, and all of it when the machine is left", async () => {
  await remove("out");
  await reaches(EVERYONE);
  await eventually("no table", async () => (await tables()).length === 0);
  await policy("p", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  await eventually("both tables", async () => (await tables()).length === 2);
  await second.end();
  expect((await second.run("nft", "list", "ruleset")).stdout).not.toContain("skerry");
});
