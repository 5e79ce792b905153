/** Policies in the kernel of one node: what passes, what goes on, and what is left. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../test/support/cluster.ts";
import { type CertificateAndKey, createAuthority, issueServer } from "../../../worker/lib/certificates.ts";
import type { PolicyPeers, PolicyRules } from "../../../worker/protocol/policies.ts";
import { effects } from "../../effects.ts";
import { Namespace, sh } from "../testing/namespaces.ts";
import type { Pod } from "../types.ts";

const prefix = `skp${process.pid}`;
/** How long no answer is waited for. */
const BRIEF_MS = 3_000;
const home = mkdtempSync(join(tmpdir(), "skerry-policies-"));
const spaces: Namespace[] = [];
const pods: Record<string, { space: Namespace; address: string }> = {};
let node: Namespace;
let served: CertificateAndKey;

const start = () =>
  node.do("start", {
    options: { home, nodeName: "a", clusterName: "test" },
    settings: {
      podCIDR: "10.244.0.0/24",
      serviceCIDR: "10.96.0.0/16",
      clusterDomain: "cluster.local",
      dnsAddress: "10.96.0.10",
      apiAddress: "10.96.0.1",
      apiCertificate: served.certificate,
      apiKey: served.key,
      upstream: { url: "https://127.0.0.1:6443" },
    },
  });

async function addPod(name: string): Promise<void> {
  const { address, namespace } = (await node.do("open", name)) as { address: string; namespace: string };
  const space = await Namespace.enter(namespace);
  spaces.push(space);
  pods[name] = { space, address };
  await space.do("serve", { name, port: 8080 });
}

const objects = (): Pod[] =>
  Object.entries(pods).map(([name, { address }]) => ({
    metadata: { namespace: "default", name, labels: { app: name } },
    spec: { containers: [{ ports: [{ name: "http", containerPort: 8080 }] }] },
    status: { podIP: address },
  }));

const sync = (rules: Record<string, PolicyRules> = {}, peers: Record<string, PolicyPeers> = {}) =>
  node.do("sync", {
    services: [],
    endpointSlices: [],
    nodes: [{ metadata: { name: "a" }, spec: { podCIDR: "10.244.0.0/24" } }],
    pods: objects(),
    rules,
    peers,
  });

const of = (name: string) => pods[name] as { space: Namespace; address: string };
const asks = async (from: string, protocol: "tcp" | "udp", to: string, limitMs?: number) =>
  (await of(from).space.probe(protocol, { host: of(to).address, port: 8080, limitMs }))[0]?.split(" ")[0];
/** No answer comes. */
const isRefused = async (...[from, protocol, to]: Parameters<typeof asks>) =>
  expect(await asks(from, protocol, to, BRIEF_MS)).toEqual(refused);
const ruleset = () => node.exec("nft list ruleset");
const web = { podSelector: { matchLabels: { app: "web" } } };
const refused = expect.stringMatching(/timeout|EPERM|ECONNREFUSED/);

beforeAll(async () => {
  served = await issueServer(await createAuthority("test", effects.now()), "x", { dns: ["x"], ip: [] }, effects.now());
  node = await Namespace.create(`${prefix}a`);
  spaces.push(node);
  await start();
  for (const name of ["web", "client", "other"]) await addPod(name);
});

afterAll(async () => {
  await node.do("stop", { remove: true }).catch(() => {});
  await Promise.all(spaces.map((one) => one.remove()));
  rmSync(home, { recursive: true, force: true });
  await sh(`! ip netns list | grep -q ${prefix}`);
});

test("who is in a set passes by the protocols and ports that are said, and answers come back", async () => {
  const ports = [{ protocol: "UDP", from: 8080, to: 8080 }];
  const ingress = [{ ports, peers: [{ kind: "pods" as const, set: "s" }] }];
  await sync({ "default/p": { ...web, ingress } }, { "a/s": { members: [of("client").address] } });
  expect(await asks("client", "udp", "web")).toBe("web");
  await isRefused("client", "tcp", "web");
  await isRefused("other", "udp", "web");
  expect(await asks("web", "tcp", "other")).toBe("other");
  expect((await node.probe("tcp", { host: of("web").address, port: 8080 }))[0]).toMatch(/^web /);
});

test("a port's name is the pod's own number, and a set's members come and go", async () => {
  const ingress = [{ ports: [{ protocol: "TCP", name: "http" }], peers: [{ kind: "pods" as const, set: "s" }] }];
  const policy = { "default/p": { ...web, ingress } };
  await sync(policy, { "a/s": { members: [of("client").address] }, "b/s": { members: ["10.244.1.9"] } });
  expect(await asks("client", "tcp", "web")).toBe("web");
  await isRefused("other", "tcp", "web");
  await sync(policy, { "a/s": { members: [of("other").address] } });
  await isRefused("client", "tcp", "web");
  expect(await asks("other", "tcp", "web")).toBe("web");
});

test("a pod that may send nothing asks no DNS either, unless that is said", async () => {
  const ask = async () =>
    of("client").space.exec("timeout 6 busybox nslookup kubernetes.default.svc.cluster.local 10.96.0.10");
  const client = { podSelector: { matchLabels: { app: "client" } } };
  await sync({ "default/p": { ...client, egress: [] } });
  await isRefused("client", "udp", "web");
  expect(await ask()).not.toContain("10.96.0.1\n");
  const egress = [{ ports: [{ protocol: "UDP", from: 53, to: 53 }] }];
  await sync({ "default/p": { ...client, egress } });
  await eventually("the name is found", async () => (await ask()).includes("10.96.0.1\n"));
  await isRefused("client", "udp", "web");
});

test("a pod does not speak with the address of another", async () => {
  const { address } = of("client");
  const members = [address];
  await sync({ "default/p": { ...web, ingress: [{ peers: [{ kind: "pods", set: "s" }] }] } }, { "a/s": { members } });
  await of("web").space.exec(
    `nft 'table ip count { chain c { type filter hook input priority 0; ip saddr ${address} counter; }; }'`,
  );
  const came = async () => Number(/packets (\d+)/.exec(await of("web").space.exec("nft list table ip count"))?.[1]);
  const knock = (from: string, limitMs?: number) =>
    of(from).space.probe("tcp", { host: of("web").address, port: 8080, local: address, limitMs });
  await of("other").space.exec(`ip address add ${address}/32 dev eth0`);
  await knock("other", BRIEF_MS);
  expect(await came()).toBe(0);
  await of("other").space.exec(`ip address delete ${address}/32 dev eth0`);
  await knock("client");
  expect(await came()).toBeGreaterThan(0);
});

test("what another program flushed is put back, and an agent that begins anew leaves no gap", async () => {
  const policy: Record<string, PolicyRules> = { "default/p": { ...web, ingress: [] } };
  await sync(policy);
  // The agent looks by itself from time to time, and may have been first.
  await eventually("nothing is refused", async () => {
    await node.exec("nft flush ruleset");
    return (await asks("client", "tcp", "web", BRIEF_MS)) === "web";
  });
  await node.do("verify", {});
  await isRefused("client", "tcp", "web");
  await node.do("stop", { remove: false });
  await isRefused("client", "tcp", "web");
  await start();
  await isRefused("client", "tcp", "web");
  await sync(policy);
  await isRefused("client", "tcp", "web");
});

test("a pod that nobody knows is let speak with nobody, where there are policies", async () => {
  const { other, ...rest } = pods;
  const known = objects().filter(({ metadata }) => metadata?.name !== "other");
  const state = { services: [], endpointSlices: [], nodes: [], pods: known, peers: {} };
  await node.do("stop", { remove: false });
  await start();
  await node.do("sync", { ...state, rules: { "default/p": { ...web, ingress: [] } } });
  expect(Object.keys(rest)).toContain("client");
  const probe = { host: of("client").address, port: 8080, limitMs: BRIEF_MS };
  expect(await other?.space.probe("tcp", probe)).toEqual([refused]);
  expect(await asks("web", "tcp", "client")).toBe("client");
});

test("without policies nothing is left of them, nor after the node's end", async () => {
  await sync();
  expect(await ruleset()).not.toContain("-policies");
  expect(await asks("client", "tcp", "web")).toBe("web");
  await sync({ "default/p": { ...web, ingress: [] } });
  expect(await ruleset()).toContain("-policies");
  await node.do("stop", { remove: true });
  expect(await ruleset()).not.toContain("skerry");
});
