/** A dual-stack cluster of two machines: addresses of both families, and Services, DNS and node ports by each. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, TestCluster } from "../support/cluster.ts";
import { joinArguments, type Lan, Machine, makeLan } from "../support/machine.ts";

let lan: Lan;
let cluster: TestCluster;
let second: Machine;

const pod = (name: string, node: string) => `
---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: web } }
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 0
  containers:
    - name: c
      image: busybox:test
      command: [sh, -c, "mkdir -p /tmp/www; echo ${name} >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www"]
      env:
        - { name: POD_IPS, valueFrom: { fieldRef: { fieldPath: status.podIPs } } }
        - { name: HOST_IPS, valueFrom: { fieldRef: { fieldPath: status.hostIPs } } }
      readinessProbe: { httpGet: { path: /index.html, port: 8080 }, periodSeconds: 1, timeoutSeconds: 5 }`;

const service = (name: string, spec: string) => `
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }], ${spec} }`;

beforeAll(async () => {
  lan = await makeLan({ ipv6: true });
  const flags = ["--node-name", "node-a", "--node-ip", lan.host, "--dual-stack"];
  cluster = await TestCluster.start({ flags });
  second = await Machine.make("node-b", lan, 2);
  cluster.machines.push(second);
  await second.join(joinArguments((await cluster.skerry("token", "create")).stdout, lan));
  await cluster.apply(
    [
      service("both", "type: NodePort, ipFamilyPolicy: RequireDualStack"),
      service("six", "ipFamilies: [IPv6]"),
      service("heads", "clusterIP: None, ipFamilyPolicy: PreferDualStack"),
      pod("a", "node-a"),
      pod("b", "node-b"),
    ].join(""),
  );
  await cluster.ok("wait --for=condition=Ready pod --all --timeout=60s");
});

afterAll(async () => {
  await cluster?.stop();
  await lan?.remove();
});

const ipv6 = (n: number) => lan.ipv6?.(n) ?? "";
const read = async (what: string, path: string) => (await cluster.ok(`get ${what} -o jsonpath={${path}}`)).split(" ");
const inside = (name: string, ...command: string[]) => cluster.ok(["exec", name, "--", ...command]);
const url = (address: string, port: number) =>
  `http://${address.includes(":") ? `[${address}]` : address}:${port}/index.html`;

/** Asks until both pods have answered. */
const reachesBoth = (about: string, ask: () => Promise<string>) => {
  const seen = new Set<string>();
  return eventually(about, async () => seen.add((await ask()).trim()).size === 2);
};

test("nodes have two ranges and two addresses, and pods an address of each", async () => {
  for (const node of ["node-a", "node-b"]) {
    const [v4 = "", v6 = ""] = await read(`node ${node}`, ".spec.podCIDRs[*]");
    expect([v4, v6]).toEqual([expect.stringMatching(/^10\..*\/24$/), expect.stringMatching(/^fd.*\/64$/)]);
  }
  for (const [name, n] of [
    ["a", 1],
    ["b", 2],
  ] as const) {
    const ips = await read(`pod ${name}`, ".status.podIPs[*].ip");
    expect(ips).toEqual([expect.stringMatching(/^10\./), expect.stringMatching(/^fd/)]);
    const hosts = [lan.address(n), ipv6(n)];
    expect(await read(`pod ${name}`, ".status.hostIPs[*].ip")).toEqual(hosts);
    expect((await inside(name, "sh", "-c", "echo $POD_IPS $HOST_IPS")).trim()).toBe(`${ips} ${hosts}`);
    const hostsFile = await inside(name, "cat", "/etc/hosts");
    for (const ip of ips) expect(hostsFile).toContain(`${ip}\t${name}\n`);
  }
});

test("pods reach each other, and Services, by both families from each node", async () => {
  const services = [
    ...(await read("service both", ".spec.clusterIPs[*]")),
    ...(await read("service six", ".spec.clusterIPs[*]")),
  ];
  expect(services).toHaveLength(3);
  for (const [from, to] of [
    ["a", "b"],
    ["b", "a"],
  ] as const)
    for (const ip of await read(`pod ${to}`, ".status.podIPs[*].ip"))
      await eventually(`${from} reaches ${to} at ${ip}`, async () =>
        (await inside(from, "wget", "-q", "-O", "-", url(ip, 8080))).includes(to),
      );
  for (const from of ["a", "b"])
    for (const ip of services)
      await reachesBoth(`${from} reaches the Service at ${ip}`, () =>
        inside(from, "wget", "-q", "-O", "-", url(ip, 80)),
      );
});

test("addresses of Services are IPAddresses, and slices are of one family each", async () => {
  const [v4 = "", v6 = ""] = await read("service both", ".spec.clusterIPs[*]");
  for (const [ip, family] of [
    [v4, "IPv4"],
    [v6, "IPv6"],
  ])
    await eventually(`IPAddress ${ip}`, async () =>
      (await cluster.ok(`get ipaddress ${ip} -o yaml`)).includes(`ipaddress.kubernetes.io/ip-family: ${family}`),
    );
  const types = async (name: string) =>
    (await read(`endpointslices -l kubernetes.io/service-name=${name}`, ".items[*].addressType")).toSorted().join();
  await eventually("slices", async () => (await types("both")) === "IPv4,IPv6" && (await types("six")) === "IPv6");
});

test("DNS has A and AAAA of Services and of the pods behind headless ones", async () => {
  const ask = (name: string) => inside("a", "nslookup", `${name}.default.svc.cluster.local`);
  for (const name of ["both", "heads"]) {
    const wanted =
      name === "both"
        ? await read("service both", ".spec.clusterIPs[*]")
        : [...(await read("pod a", ".status.podIPs[*].ip")), ...(await read("pod b", ".status.podIPs[*].ip"))];
    await eventually(`${name} in DNS`, async () => {
      const said = (await ask(name)).split(/\s+/);
      return wanted.every((ip) => said.includes(ip));
    });
  }
});

test("a node port is served at a node's addresses of both families", async () => {
  const [port = ""] = await read("service both", ".spec.ports[0].nodePort");
  for (const host of [lan.address(2), ipv6(2)])
    await reachesBoth(`node port at ${host}`, async () => {
      const done = await fetch(url(host, Number(port)), { signal: AbortSignal.timeout(10_000) });
      return done.text();
    });
});

test("a Service gets a second address, and gives it back, by its policy", async () => {
  await cluster.ok(["patch", "service", "six", "-p", '{"spec":{"ipFamilyPolicy":"PreferDualStack"}}']);
  const [first = "", other = ""] = await read("service six", ".spec.clusterIPs[*]");
  await reachesBoth("the second address", () => inside("b", "wget", "-q", "-O", "-", url(other, 80)));
  await cluster.ok(["patch", "service", "six", "-p", '{"spec":{"ipFamilyPolicy":"SingleStack"}}']);
  expect(await read("service six", ".spec.clusterIPs[*]")).toEqual([first]);
  await eventually("the address is free", async () => !(await cluster.ok("get ipaddress -o name")).includes(other));
});
