import { expect, test } from "vitest";
import { belongsTo, type UnitOptions, unitsFor } from "./units.ts";

const options: UnitOptions = {
  name: "skerry",
  home: "/var/lib/skerry",
  port: 6443,
  program: ["/usr/bin/node", "/opt/skerry/dist/skerry.js"],
  containerd: "/usr/bin/containerd",
  role: "agent",
  flags: [],
  shutdown: { total: 30, critical: 10 },
};
const unit = (name: string, changes: Partial<UnitOptions> = {}) =>
  unitsFor({ ...options, ...changes }).find((one) => one.name === name)?.text ?? "";

test("a node is an agent, a containerd of its own, and what ends its pods before the machine goes down", () => {
  expect(unitsFor(options).map(({ name }) => name)).toEqual([
    "skerry-containerd.service",
    "skerry.service",
    "skerry-shutdown.service",
  ]);
  const agent = unit("skerry.service");
  expect(agent).toContain("ExecStart=/usr/bin/node /opt/skerry/dist/skerry.js agent\n");
  for (const line of ["Type=notify", "NotifyAccess=all", "WatchdogSec=120", "KillMode=process", "Restart=always"])
    expect(agent).toContain(`${line}\n`);
  expect(unit("skerry-containerd.service")).toContain(
    "ExecStart=/usr/bin/containerd -c /var/lib/skerry/containerd/config.toml\n",
  );
});

test("a containerd of the same home that an agent has started goes first, and the unit's own can be found", () => {
  const containerd = unit("skerry-containerd.service", { home: "/srv/a.b" });
  expect(containerd).toContain('ExecStartPre=-pkill -f -- " -c /srv/a\\\\.b/containerd/config\\\\.toml$$"\n');
  expect(containerd).toContain(
    'ExecStartPost=-sh -c "echo \\"$$MAINPID\\" >\\"$$0\\"" /srv/a.b/containerd/containerd.pid\n',
  );
});

test("pods end before whatever they need does, and systemd waits for them", () => {
  const shutdown = unit("skerry-shutdown.service", { shutdown: { total: 300, critical: 20 } });
  expect(shutdown).toMatch(/^After=.*skerry\.service.*$/m);
  expect(shutdown).toContain("TimeoutStopSec=330\n");
  expect(shutdown).toContain("node shutdown --grace-period 300s --grace-period-critical-pods 20s");
});

test("a machine with the control plane runs all of it, and starts containerd itself", () => {
  const all = unitsFor({ ...options, role: "cluster", flags: ["--node-name", "a"] });
  expect(all.map(({ name }) => name)).toEqual(["skerry.service", "skerry-shutdown.service"]);
  expect(all[0]?.text).toContain("ExecStart=/usr/bin/node /opt/skerry/dist/skerry.js up --node-name a\n");
  expect(all[0]?.text).not.toMatch(/notify|external/);
});

test("words with spaces, quotes and percent signs stay what they are", () => {
  const text = unit("skerry.service", { home: '/srv/my "home" 100%' });
  expect(text).toContain('Environment="SKERRY_HOME=/srv/my \\"home\\" 100%%"\n');
});

test.each(["agent", "cluster"] as const)("units of a home are known by it, whatever their names: %s", (role) => {
  const units = unitsFor({ ...options, role, name: "attic", home: '/srv/my "home" 100%' });
  expect(units.map(({ text }) => belongsTo('/srv/my "home" 100%', text))).not.toContain(false);
  expect(units.map(({ text }) => belongsTo("/srv/my", text))).not.toContain(true);
});
