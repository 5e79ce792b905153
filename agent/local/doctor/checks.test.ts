import { expect, test } from "vitest";
import { CHECKS, type Facts } from "./checks.ts";
import { examine, shown } from "./doctor.ts";

const GIB = 2 ** 30;
const disk = {
  folder: "/srv",
  freeBytes: 50 * GIB,
  totalBytes: 100 * GIB,
  freeInodes: 900,
  totalInodes: 1000,
  isWritable: true,
};
const WELL: Required<Facts> = {
  cgroups: { version: 2, controllers: ["cpuset", "cpu", "io", "memory", "pids"] },
  kernel: [{ what: "bridges", modules: ["bridge"], works: true, said: "" }],
  clock: { server: "https://c", aheadMs: -1200 },
  dns: { servers: [{ address: "192.0.2.53", answers: true }] },
  firewall: [],
  mtu: { device: "eth0", bytes: 1500, tunnel: { device: "sw-1", bytes: 1400 } },
  disk,
  ports: [{ port: 6443, use: "the API", isNeeded: true }],
  nerdctl: [{ path: "/usr/bin/nerdctl", version: "2.0.0" }],
  uplink: { hasRoute: true, server: { url: "https://c" } },
};
const found = (facts: Facts) =>
  examine(facts).flatMap(({ check, findings }) => findings.map((one) => ({ check, ...one })));

test("a machine that is well has no fault, and one of which nothing is known neither", () => {
  expect(found(WELL)).toEqual([]);
  expect(examine({}).every(({ state }) => state === "unknown")).toBe(true);
  expect(CHECKS).toHaveLength(10);
});

const chain = (hook: string) => ({ table: "inet own", chain: "c", hook });

test.each<[Facts, string, "fault" | "warning", string, string]>([
  [{ cgroups: { version: 2, controllers: ["cpu", "pids"] } }, "cgroups", "fault", "memory", "cgroup_enable=memory"],
  [{ cgroups: { version: 2, controllers: ["memory"] } }, "cgroups", "fault", "cpu, pids", "mount -t cgroup2"],
  [
    { kernel: [{ what: "bridges", modules: ["bridge"], works: false, said: "not supported" }] },
    "kernel",
    "fault",
    "no bridges: not supported",
    "modprobe -a bridge",
  ],
  [
    { kernel: [{ what: "NAT", modules: ["nft_chain_nat", "nft_masq"], works: false, said: "" }] },
    "kernel",
    "fault",
    "no NAT",
    "`modprobe -a nft_chain_nat nft_masq`",
  ],
  [{ clock: { server: "https://c", aheadMs: 90_000 } }, "clock", "fault", "90 s ahead of", "set-ntp"],
  [{ clock: { server: "https://c", aheadMs: -90_000 } }, "clock", "fault", "90 s behind", "set-ntp"],
  [{ dns: { servers: [] } }, "dns", "fault", "No resolver", "/etc/resolv.conf"],
  [{ dns: { servers: [{ address: "192.0.2.1", answers: false }] } }, "dns", "fault", "192.0.2.1 gives no", "port 53"],
  [
    {
      dns: {
        servers: [
          { address: "192.0.2.1", answers: false },
          { address: "192.0.2.2", answers: true },
        ],
      },
    },
    "dns",
    "warning",
    "192.0.2.1 gives no answer",
    "Take it out",
  ],
  [{ firewall: [chain("forward")] }, "firewall", "fault", "c of table inet own", "nft insert rule inet own c"],
  [{ firewall: [chain("input")] }, "firewall", "fault", "at input", "the node's DNS"],
  [
    { firewall: [{ ...chain("input"), unless: true }] },
    "firewall",
    "warning",
    "unless its rules let veth* through",
    "the node's DNS",
  ],
  [{ mtu: { device: "eth0", bytes: 1000 } }, "mtu", "fault", "1000 bytes", "ip link set eth0 mtu"],
  [
    { mtu: { device: "eth0", bytes: 1400, tunnel: { device: "sw-1", bytes: 1400 } } },
    "mtu",
    "fault",
    "sw-1 sends packets of 1400",
    "systemctl restart skerry",
  ],
  [{ disk: { ...disk, freeBytes: GIB } }, "disk", "fault", "1.0 GiB (1%) left: pods are evicted", "SKERRY_HOME"],
  [{ disk: { ...disk, freeBytes: 12 * GIB } }, "disk", "warning", "images are removed", "SKERRY_HOME"],
  [{ disk: { ...disk, freeInodes: 9 } }, "disk", "fault", "9 more files", "du --inodes"],
  [{ disk: { ...disk, isWritable: false } }, "disk", "fault", "cannot be written", "dmesg"],
  [
    { ports: [{ port: 6443, use: "the API", holder: "kube (pid 7)", isNeeded: true }] },
    "ports",
    "fault",
    "taken by kube (pid 7)",
    "SKERRY_PORT",
  ],
  [{ ports: [{ port: 80, use: "Ingresses", holder: "nginx", isNeeded: false }] }, "ports", "warning", "nginx", "flag"],
  [{ nerdctl: [{ path: "/usr/bin/nerdctl", version: "1.7.6" }] }, "nerdctl", "fault", "1.7.6", "releases"],
  [{ nerdctl: [] }, "nerdctl", "warning", "none", "skerry join"],
  [{ uplink: { hasRoute: false } }, "uplink", "fault", "no default route", "ip route"],
  [
    { uplink: { hasRoute: true, server: { url: "https://c", error: "timed out" } } },
    "uplink",
    "fault",
    "https://c is not reached: timed out",
    "firewall",
  ],
])("%j: %s", (fact, check, severity, cause, remedy) => {
  const all = found({ ...WELL, ...fact });
  expect(all).toEqual([
    { check, severity, cause: expect.stringContaining(cause), remedy: expect.stringContaining(remedy) },
  ]);
});

test("a cluster on the same network needs no default route", () => {
  expect(found({ uplink: { hasRoute: false, server: { url: "https://192.0.2.2" } } })).toEqual([]);
});

test("a nerdctl of version 2 may lie beside an old one", () => {
  const old = { path: "/usr/bin/nerdctl", version: "1.7.6" };
  expect(found({ nerdctl: [old, { path: "/var/cache/skerry/bin/nerdctl", version: "2.0.0" }] })).toEqual([]);
});

test("each check has a line, and below it what is wrong and how to mend it", () => {
  const text = shown(examine({ ...WELL, uplink: { hasRoute: false }, clock: undefined }));
  expect(text).toContain("ok       cgroups   controllers that bound pods\n");
  expect(text).toContain("?        clock     against the cluster's\n");
  expect(text).toMatch(/fault {4}uplink .*\n {9}There is no default route\.\n {9}→ Connect a network/);
});

test("what a server said moves no cursor", () => {
  const uplink = { hasRoute: true, server: { url: "https://c", error: "404 \u001b[2J" } };
  expect(shown(examine({ uplink }))).toContain("not reached: 404 \\u001b[2J.");
});
