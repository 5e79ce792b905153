/** What befalls a machine while its pods run, and what the node makes of it. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Containerd } from "../../agent/containerd.ts";
import { effects } from "../../agent/effects.ts";
import { run, spawn } from "../../agent/process.ts";
import { unmountAll } from "../../agent/volumes/mounts.ts";
import { eventually, isAlive, REMOVAL, TestCluster } from "../support/cluster.ts";
import { joinArguments, type Lan, Machine, makeLan } from "../support/machine.ts";
import { checked, ensurePackages } from "../support/programs.ts";
import { upstreamProgram } from "../support/upstream.ts";

type Pod = {
  metadata: { name: string; uid: string };
  status: {
    phase: string;
    reason?: string;
    message?: string;
    podIP?: string;
    conditions: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[];
    containerStatuses?: {
      name: string;
      containerID: string;
      restartCount: number;
      ready: boolean;
      state: { running?: object; terminated?: { exitCode: number; reason: string; finishedAt: string } };
      lastState: { terminated?: { exitCode: number; reason: string } };
    }[];
  };
};

let lan: Lan;
let cluster: TestCluster;
let joining: string[] = [];
const url = () => joining[0] ?? "";

beforeAll(async () => {
  lan = await makeLan();
  cluster = await TestCluster.start({ flags: ["--no-agent"] });
  joining = joinArguments((await cluster.skerry("token", "create")).stdout, lan);
});
afterAll(async () => {
  await cluster?.stop();
  await lan?.remove();
});

let machinesMade = 1;
async function machineNamed(name: string, prepare: (machine: Machine) => Promise<void> = async () => {}) {
  const machine = await Machine.make(name, lan, ++machinesMade);
  cluster.machines.push(machine);
  await prepare(machine);
  await machine.join(joining);
  return machine;
}

const podOn = (node: string, name: string, more = "") => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { on: ${node} } }
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 1
  ${more}
  containers: [{ name: main, image: "busybox:test", command: [sh, -c, "trap 'exit 0' TERM; while true; do sleep 0.2; done"] }]
---`;

const pod = (name: string, namespace = "default") => cluster.json<Pod>(`get pod -n ${namespace} ${name}`);
const ready = (...names: string[]) =>
  cluster.ok(`wait --for=condition=Ready --timeout=120s ${names.map((name) => `pod/${name}`).join(" ")}`);
const main = async (name: string) => (await pod(name)).status.containerStatuses?.[0];
const idOf = async (name: string) => (await main(name))?.containerID.replace("containerd://", "") ?? "";
const condition = async (node: string, type: string) => {
  const { status } = await cluster.json<{ status: Pod["status"] }>(`get node ${node}`);
  return status.conditions.find((one) => one.type === type);
};
const until = (node: string, type: string, status: string) =>
  eventually(`${type} of ${node} is ${status}`, async () => {
    const found = await condition(node, type);
    return found?.status === status && found;
  });

async function pidOf(machine: Machine, id: string): Promise<number> {
  const inspected = await machine.nerdctl("inspect", "--format", "{{.State.Pid}}", id);
  return Number(inspected.stdout);
}

/** Processes whose command lines have this in them. */
function processesWith(...marks: string[]): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return pid > 1 && pid !== process.pid && marks.every((mark) => line.includes(mark));
      } catch {
        return false;
      }
    });
}

const restarted = (name: string, count: number) =>
  eventually(`restart ${count} of ${name}`, async () => {
    const found = await main(name);
    return found && found.restartCount >= count && found.ready && found;
  });

describe("what holds containers is killed", () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await machineNamed("node-b");
    const shared = "shareProcessNamespace: true";
    await cluster.apply(
      [
        podOn("node-b", "steady"),
        podOn("node-b", "keeperless"),
        podOn("node-b", "nameless"),
        podOn("node-b", "paused", shared),
      ].join(""),
    );
    await ready("steady", "keeperless", "nameless", "paused");
  });

  test("a shim: its container ends for good and another starts, one at a time", async () => {
    const id = await idOf("keeperless");
    const inside = await pidOf(machine, id);
    const [shim] = processesWith("containerd-shim", id);
    expect(shim).toBeGreaterThan(1);
    process.kill(shim as number, "SIGKILL");
    const after = await restarted("keeperless", 1);
    expect(after.containerID).not.toContain(id);
    expect(isAlive(inside)).toBe(false);
    expect(await idOf("steady")).not.toBe("");
    expect((await main("steady"))?.restartCount).toBe(0);
  });

  test("the process that holds a pod's namespaces: all of the pod begins anew", async () => {
    const { podIP } = (await pod("paused")).status;
    const listed = await machine.nerdctl("ps", "-q", "--no-trunc", "--filter", "label=skerry.dev/kind=pause");
    const [pause = ""] = listed.stdout.split("\n");
    process.kill(await pidOf(machine, pause), "SIGKILL");
    await restarted("paused", 1);
    expect((await pod("paused")).status.podIP).toBeDefined();
    expect(podIP).toBeDefined();
  });

  test("a network namespace: the pod gets another, with an address that answers", async () => {
    const id = await idOf("nameless");
    const { uid } = (await pod("nameless")).metadata;
    const [namespace = ""] = readdirSync("/run/netns").filter((name) => name.includes(uid));
    expect(namespace).not.toBe("");
    await checked("ip", ["netns", "delete", namespace]);
    process.kill(await pidOf(machine, id), "SIGKILL");
    await restarted("nameless", 1);
    await eventually("it answers", async () => {
      const { podIP = "" } = (await pod("nameless")).status;
      return (await machine.run("busybox", "ping", "-c1", "-W10", podIP)).code === 0;
    });
  });

  test("containerd that nobody can reach any more is replaced, and no container notices", async () => {
    const id = await idOf("steady");
    const inside = await pidOf(machine, id);
    const pidFile = join(machine.home, "containerd/containerd.pid");
    const before = readFileSync(pidFile, "utf8");
    rmSync(join(machine.home, "containerd/containerd.sock"));
    await eventually("another containerd", async () => readFileSync(pidFile, "utf8") !== before);
    await eventually("it knows its containers", async () => (await pidOf(machine, id)) === inside);
    await until("node-b", "Ready", "True");
    expect((await main("steady"))?.restartCount).toBe(0);
    await cluster.apply(podOn("node-b", "later"));
    await ready("later");
  });
});

describe("a disk that takes nothing more", () => {
  test("is told, ends nothing, and is made up for when there is room again", async () => {
    let home = "";
    const machine = await machineNamed("node-c", async ({ home: path }) => {
      home = path;
      await checked("mount", ["-t", "tmpfs", "-o", "size=192m", "skerry-test", path]);
    });
    try {
      await cluster.apply(podOn("node-c", "roomy") + podOn("node-c", "crashing"));
      await ready("roomy", "crashing");
      await until("node-c", "StateWritable", "True");
      const id = await idOf("roomy");
      const inside = await pidOf(machine, id);
      const crashing = await pidOf(machine, await idOf("crashing"));
      await run("dd", ["if=/dev/zero", `of=${join(home, "filler")}`, "bs=64k"]);
      await run("dd", ["if=/dev/zero", `of=${join(home, "crumbs")}`, "bs=512"]);
      // What the cluster says now has to be remembered.
      await cluster.ok("label pod roomy seen=1");
      const told = await until("node-c", "StateWritable", "False");
      expect(told.reason).toBe("StateNotWritable");
      expect(told.message).toMatch(
        /the agent cannot save its state; pods go on, and it is saved once that is possible/,
      );
      process.kill(crashing, "SIGKILL");
      // Another agent finds the same disk.
      await machine.kill();
      await machine.resume(url());
      await until("node-c", "Ready", "True");
      expect(await pidOf(machine, id)).toBe(inside);
      expect((await main("roomy"))?.restartCount).toBe(0);
      for (const file of ["filler", "crumbs"]) rmSync(join(home, file));
      await until("node-c", "StateWritable", "True");
      await restarted("crashing", 1);
      const events = "get events --field-selector involvedObject.name=node-c,reason=StateNotWritable -o name";
      await eventually("an event says so", async () => (await cluster.ok(events)) !== "");
      await machine.kill();
      await machine.resume(url());
      expect(await pidOf(machine, id)).toBe(inside);
      expect(readdirSync(home).filter((name) => name.includes(".broken"))).toEqual([]);
    } finally {
      await cluster.ok("delete pod -l on=node-c --grace-period=1 --wait=false");
      cluster.machines.splice(cluster.machines.indexOf(machine), 1);
      await machine.end();
      await unmountAll(home);
      await run("umount", ["-l", home]);
      await machine.remove();
    }
  });
});

describe("a disk that has become read-only", () => {
  test("ends nothing, and an agent that starts on it looks after its pods", async () => {
    const folder = mkdtempSync(join(tmpdir(), "skerry-disk-"));
    const image = join(folder, "ext4");
    const machine = await machineNamed("node-i", async ({ home }) => {
      await checked("truncate", ["-s", "512M", image]);
      await checked("mkfs.ext4", ["-q", "-F", image]);
      await checked("mount", ["-o", "loop,errors=remount-ro", image, home]);
    });
    const identity = readFileSync(join(machine.home, "node.json"));
    try {
      await cluster.apply(podOn("node-i", "lasting"));
      await ready("lasting");
      const id = await idOf("lasting");
      const inside = await pidOf(machine, id);
      const device = (await checked("findmnt", ["-no", "SOURCE", machine.home])).stdout.trim();
      // What a kernel does when it finds an error on the disk.
      writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, "1");
      await cluster.ok("label pod lasting seen=1");
      const told = await until("node-i", "StateWritable", "False");
      expect(told.message).toMatch(/readonly|read-only/i);
      await machine.kill();
      await machine.resume(url());
      await until("node-i", "Ready", "True");
      await until("node-i", "StateWritable", "False");
      expect(isAlive(inside)).toBe(true);
      expect(await main("lasting")).toMatchObject({ restartCount: 0, ready: true });
      await eventually("it can be reached", async () => (await cluster.ok("exec lasting -- echo in")) === "in\n");
    } finally {
      cluster.machines.splice(cluster.machines.indexOf(machine), 1);
      await cluster.ok("delete pod lasting --force --grace-period=0 --ignore-not-found");
      await machine.powerOff();
      await unmountAll(machine.home);
      await run("umount", ["-l", machine.home]);
      writeFileSync(join(machine.home, "node.json"), identity);
      await machine.remove();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("a containerd that another program keeps running, as systemd does", () => {
  let machine: Machine;
  let containerd: ChildProcess | undefined;
  let config = "";
  const start = (program = "containerd") => {
    const path = `${dirname(program)}:${process.env.PATH}`; // its shims are the ones beside it
    const env = { ...process.env, PATH: path };
    containerd = spawn(program, ["-c", config], { detached: true, stdio: "ignore", env });
  };
  beforeAll(async () => {
    machine = await machineNamed("node-j", async (made) => {
      made.extra = { SKERRY_CONTAINERD: "external" };
      const settings = new Containerd({ home: made.home, timers: effects, log: () => {} });
      settings.writeSettings();
      config = join(settings.paths.folder, "config.toml");
      start();
    });
    await cluster.apply(podOn("node-j", "hosted"));
    await ready("hosted");
  });
  afterAll(async () => {
    cluster.machines.splice(cluster.machines.indexOf(machine), 1);
    await machine?.kill();
    containerd?.kill("SIGKILL");
    await machine?.remove();
  });

  test("is not started by the agent, and the node is not Ready while it is away", async () => {
    const inside = await pidOf(machine, await idOf("hosted"));
    containerd?.kill("SIGKILL");
    expect(await until("node-j", "Ready", "False")).toMatchObject({ message: "container runtime is down" });
    await effects.sleep(5_000); // time enough to start another
    expect(processesWith("containerd\0-c", machine.home)).toEqual([]);
    expect(isAlive(inside)).toBe(true);
    start();
    await until("node-j", "Ready", "True");
    expect(await main("hosted")).toMatchObject({ restartCount: 0 });
  });

  test("is upgraded to the next major version while its containers go on", async () => {
    await upstreamProgram("containerd-shim-runc-v2", console.log);
    const newer = await upstreamProgram("containerd", console.log);
    const inside = await pidOf(machine, await idOf("hosted"));
    containerd?.kill("SIGTERM");
    await until("node-j", "Ready", "False");
    await eventually("the older one has ended", async () => !isAlive(containerd?.pid ?? 0));
    start(newer);
    await until("node-j", "Ready", "True");
    await eventually("the node tells of the newer version", async () => {
      const node = await cluster.json<{ status: { nodeInfo: { containerRuntimeVersion: string } } }>("get node node-j");
      return node.status.nodeInfo.containerRuntimeVersion.startsWith("containerd://2.");
    });
    expect(await main("hosted")).toMatchObject({ restartCount: 0 });
    expect(isAlive(inside)).toBe(true);
    // What the older one started is served by the newer, ended and started again by it.
    const hears = (name: string) =>
      eventually(`${name} hears`, async () => (await cluster.ok(`exec ${name} -- echo heard`)) === "heard\n");
    await hears("hosted");
    await cluster.kubectl("exec hosted -- kill 1"); // which may end with the container
    await restarted("hosted", 1);
    await cluster.apply(podOn("node-j", "newer"));
    await ready("newer");
    await hears("newer");
    await cluster.ok("delete pod hosted newer --timeout=60s");
    await eventually("no shim is left", async () => processesWith("containerd-shim", machine.home).length === 0);
  });
});

describe("whose node it is", () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await machineNamed("node-d");
    await cluster.apply(podOn("node-d", "owned"));
    await ready("owned");
  });

  test("a second machine of the same name is refused, with what can be done", async () => {
    const other = await Machine.make("node-e", lan, ++machinesMade);
    try {
      await expect(other.join([...joining, "--node-name", "node-d"])).rejects.toThrow(
        /a machine named "node-d" has joined already: choose another name, delete that node, or use a token that allows replacing it/,
      );
    } finally {
      await other.remove();
    }
    await until("node-d", "Ready", "True");
  });

  test("a machine that has a copy of the disk is refused while the first is there, and runs nothing", async () => {
    const copy = await Machine.make("node-f", lan, ++machinesMade);
    try {
      for (const file of ["node.json", "agent.db", "agent.db-wal"])
        await run("cp", [join(machine.home, file), join(copy.home, file)]);
      await copy.start(url());
      for (const words of [
        "another machine is connected as node node-d",
        "nothing runs until the cluster has answered",
      ])
        await eventually(`it says ${words}`, async () => copy.log().includes(words));
      await effects.sleep(3_000);
      expect((await copy.nerdctl("ps", "-a", "-q")).stdout).toBe("");
    } finally {
      await copy.remove();
    }
    await until("node-d", "Ready", "True");
    expect((await main("owned"))?.restartCount).toBe(0);
  });

  test("a machine that lost its disk joins anew under its name, and nothing of its pods runs twice", async () => {
    const inside = await pidOf(machine, await idOf("owned"));
    const { uid } = (await pod("owned")).metadata;
    await machine.kill();
    const [containerd] = processesWith("containerd\0-c", machine.home);
    process.kill(containerd as number, "SIGKILL");
    await eventually("containerd is gone", async () => !isAlive(containerd as number));
    await unmountAll(machine.home);
    for (const name of readdirSync(machine.home)) rmSync(join(machine.home, name), REMOVAL);
    await expect(machine.join(joining)).rejects.toThrow("has joined already");
    const created = await cluster.skerry("token", "create", "--replace");
    await machine.join(joinArguments(created.stdout, lan));
    await until("node-d", "Ready", "True");
    expect(isAlive(inside)).toBe(false);
    const after = await eventually("its pod runs again", async () => {
      const found = await pod("owned");
      return found.status.containerStatuses?.[0]?.ready && found;
    });
    expect(after.metadata.uid).toBe(uid);
    await eventually("it runs once", async () => {
      const listed = await machine.nerdctl("ps", "-q", "--filter", `label=skerry.dev/pod-uid=${uid}`);
      const shims = processesWith("containerd-shim", join(machine.home, "containerd/containerd.sock"));
      return listed.stdout.trim().split("\n").length === 1 && shims.length === 1;
    });
  });
});

describe("a machine that is about to go down", () => {
  test("ends its pods by their priorities, says so, takes no others, and may go on after all", async () => {
    const machine = await machineNamed("node-g");
    const critical = podOn("node-g", "critical", "priorityClassName: system-node-critical").replace(
      "name: critical,",
      "name: critical, namespace: kube-system,",
    );
    const slow = podOn("node-g", "slow")
      .replace("terminationGracePeriodSeconds: 1", "terminationGracePeriodSeconds: 60")
      .replace("exit 0", "sleep 5; exit 0");
    await cluster.apply(podOn("node-g", "plain") + slow + critical);
    await ready("plain", "slow");
    await cluster.ok("wait -n kube-system --for=condition=Ready pod/critical --timeout=60s");
    const ended = machine.skerry("node", "shutdown", "--grace-period", "20s", "--grace-period-critical-pods", "5s");
    const health = await until("node-g", "Ready", "False");
    expect(health).toMatchObject({ reason: "KubeletNotReady", message: "node is shutting down" });
    expect(await ended).toMatchObject({ code: 0 });
    const over = (name: string, namespace?: string) =>
      eventually(`${name} is over`, async () => {
        const one = await pod(name, namespace);
        return one.status.phase === "Failed" && one;
      });
    const found = {
      plain: await over("plain"),
      slow: await over("slow"),
      critical: await over("critical", "kube-system"),
    };
    const message = "Pod was terminated in response to imminent node shutdown.";
    for (const { status } of Object.values(found)) {
      expect(status).toMatchObject({ phase: "Failed", reason: "Terminated", message });
      expect(status.conditions.find(({ type }) => type === "DisruptionTarget")).toMatchObject({
        status: "True",
        reason: "TerminationByKubelet",
        message,
      });
    }
    const at = ({ status }: Pod) => Date.parse(status.containerStatuses?.[0]?.state.terminated?.finishedAt ?? "");
    expect(at(found.critical)).toBeGreaterThanOrEqual(at(found.slow));
    expect(at(found.slow)).toBeGreaterThanOrEqual(at(found.plain));
    await cluster.apply(podOn("node-g", "late").replace("spec:", "spec:\n  tolerations: [{ operator: Exists }]"));
    const refused = await eventually("it is refused", async () => {
      const late = await pod("late");
      return late.status.phase === "Failed" && late;
    });
    expect(refused.status).toMatchObject({
      reason: "NodeShutdown",
      message: "Pod was rejected: Pod was rejected as the node is shutting down.",
    });
    expect((await machine.skerry("node", "shutdown", "--cancel")).code).toBe(0);
    await until("node-g", "Ready", "True");
    await cluster.apply(podOn("node-g", "again"));
    await ready("again");
    const events =
      "get events --field-selector involvedObject.name=node-g,reason=NodeShutdown -o jsonpath={.items[*].message}";
    for (const words of ["Shutdown manager detected shutdown event", "Shutdown manager detected shutdown cancellation"])
      await eventually(words, async () => (await cluster.ok(events)).includes(words));
  });
});

describe("a machine whose clock is wrong", () => {
  test("joins 30 years behind, keeps its pods while its clock is set back and forth, and tells the cluster's time", async () => {
    await ensurePackages({ faketime: "faketime" });
    const library = (await checked("sh", ["-c", "ls /usr/lib/*/faketime/libfaketime.so.1"])).stdout.trim();
    let clock = "";
    const machine = await machineNamed("node-h", async (made) => {
      clock = join(made.home, "clock");
      writeFileSync(clock, "-30y");
      const settings = { FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1" };
      made.extra = { LD_PRELOAD: library, ...settings };
    });
    await cluster.apply(
      podOn("node-h", "timeless") + podOn("node-h", "dying").replace("sleep 0.2; done", "sleep 1; exit 1; done"),
    );
    await ready("timeless");
    for (const offset of ["+20y", "-1d", "+3h", "-30y"]) {
      writeFileSync(clock, offset);
      await effects.sleep(2_000);
    }
    await eventually("restarts go on", async () => ((await main("dying"))?.restartCount ?? 0) >= 2);
    expect((await main("timeless"))?.restartCount).toBe(0);
    await machine.kill();
    await machine.resume(url());
    await until("node-h", "Ready", "True");
    // By less than the clock was ever wrong.
    const isNow = (text: string | undefined) => Math.abs(Date.parse(text ?? "") - effects.now()) < 2 * 3_600_000;
    const { status } = await cluster.json<{ status: { startTime: string } & Pod["status"] }>("get pod dying");
    expect(isNow(status.startTime)).toBe(true);
    for (const { lastTransitionTime } of status.conditions) expect(isNow(lastTransitionTime)).toBe(true);
    const script = "cut -d. -f2 /var/run/secrets/kubernetes.io/serviceaccount/token";
    const claims = await eventually("it can be reached", () =>
      cluster.ok(["exec", "timeless", "--", "sh", "-c", script]),
    );
    const { iat } = JSON.parse(Buffer.from(claims.trim(), "base64url").toString()) as { iat: number };
    expect(isNow(new Date(iat * 1000).toISOString())).toBe(true);
  });
});
