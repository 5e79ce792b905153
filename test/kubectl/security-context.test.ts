/** What security contexts ask for, as containers find it: told from inside, by the kernel, and never by what was asked. */
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { which } from "../../agent/local/install.ts";
import { hasAppArmor } from "../../agent/pods/app-armor.ts";
import { SECCOMP_FOLDER } from "../../agent/pods/security.ts";
import { eventually, TestCluster } from "../support/cluster.ts";

const PROFILE = `skerry-test-${process.pid}.json`;
/** containerd's, as bits: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP. */
const DEFAULT_CAPABILITIES = "00000000a80425fb";
const NONE = "0000000000000000";
const NET_BIND_SERVICE = "0000000000000400";
const folder = mkdtempSync(join(tmpdir(), "skerry-runtime-"));
const runtimeLog = join(folder, "log");

let cluster: TestCluster;

beforeAll(async () => {
  const runtime = join(folder, "other-runc");
  writeFileSync(runtime, `#!/bin/sh\necho "$@" >>${runtimeLog}\nexec ${which("runc")} "$@"\n`, { mode: 0o755 });
  mkdirSync(SECCOMP_FOLDER, { recursive: true });
  const syscalls = [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }];
  writeFileSync(join(SECCOMP_FOLDER, PROFILE), JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls }));
  const flags = ["--node-name", "node-a", "--allowed-unsafe-sysctls", "kernel.msg*", "--runtime-handlers"];
  cluster = await TestCluster.start({ flags: [...flags, `other=${runtime}`] });
  const users = "app:x:1000:1000::/:/bin/sh\n";
  const groups = "app:x:1000:\nstaff:x:50000:app\n";
  await cluster.load({ tag: "docker.io/library/grouped:test", users, groups });
  await cluster.load({ tag: "docker.io/library/named:test", users, groups, user: "app:staff" });
  await cluster.load({ tag: "docker.io/library/numbered:test", user: "1234:5678" });
});

afterAll(async () => {
  await cluster?.stop();
  rmSync(join(SECCOMP_FOLDER, PROFILE), { force: true });
  rmSync(folder, { recursive: true, force: true });
});

type Container = {
  image?: string;
  securityContext?: object;
  command?: readonly string[];
  ports?: object[];
  volumeMounts?: object[];
};
type Spec = Record<string, unknown> & { containers: Record<string, Container> };

/** Makes a pod whose containers are named by the keys; those without a command wait. */
async function make(name: string, { containers, ...spec }: Spec): Promise<void> {
  const list = Object.entries(containers).map(([name, container]) => ({
    name,
    image: "busybox:test",
    command: ["sleep", "1000"],
    ...container,
  }));
  const pod = { terminationGracePeriodSeconds: 0, ...spec, containers: list };
  await cluster.apply(JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec: pod }));
}

const running = (...names: string[]) =>
  cluster.ok(["wait", "--for=condition=Ready", "--timeout=120s", ...names.map((name) => `pod/${name}`)]);

const inside = (pod: string, container: string, script: string) =>
  cluster.kubectl(["exec", pod, "-c", container, "--", "sh", "-c", script]);
const said = async (pod: string, container: string, script: string) =>
  (await inside(pod, container, script)).stdout.trim();

/** What the kernel says of a container's first process. */
async function look(pod: string, container: string): Promise<Record<string, string>> {
  const lines = (await said(pod, container, "cat /proc/1/status")).split("\n");
  return Object.fromEntries(lines.map((line) => [line.split(":")[0], line.replace(/^\w+:\s*/, "").trim()]));
}

type Pod = {
  status: {
    phase: string;
    reason?: string;
    message?: string;
    containerStatuses?: { name: string; user?: object; state: { waiting?: { reason: string; message: string } } }[];
  };
};
const podOf = (name: string) => cluster.json<Pod>(`get pod ${name}`);
const eventsOf = (name: string) => cluster.ok(`events --for pod/${name}`);
const told = (name: string, words: string) =>
  eventually(`an event of ${name} says ${words}`, async () => (await eventsOf(name)).includes(words));

describe("users and groups", () => {
  const app = { runAsUser: 1000 };
  const supplementalGroups = [60_000];
  const groupsOf = (name: string) => said(name, "c", "id -u; id -g; id -G");
  beforeAll(async () => {
    const image = "grouped:test";
    const whole = { runAsUser: 1001, runAsGroup: 2002, fsGroup: 3003, supplementalGroups: [4004] };
    const own = { runAsUser: 1002, runAsGroup: 2003 };
    const strict = { supplementalGroups, supplementalGroupsPolicy: "Strict" };
    await make("pod-and-own", { securityContext: whole, containers: { c: {}, own: { securityContext: own } } });
    const merge = { ...app, supplementalGroups };
    await make("merged", { securityContext: merge, containers: { c: { image } } });
    await make("merged-group", { securityContext: { ...merge, runAsGroup: 7000 }, containers: { c: { image } } });
    await make("strict", { securityContext: { ...app, ...strict }, containers: { c: { image } } });
    const grouped = { ...app, ...strict, runAsGroup: 7000 };
    await make("strict-group", { securityContext: grouped, containers: { c: { image } } });
    await make("of-image", {
      securityContext: { runAsNonRoot: true },
      containers: { c: { image: "numbered:test" } },
    });
    await make("named", { containers: { c: { image: "named:test" } } });
    await running("pod-and-own", "merged", "merged-group", "strict", "strict-group", "of-image", "named");
  });

  test("are the pod's, and the container's own before them", async () => {
    expect(await look("pod-and-own", "c")).toMatchObject({
      Uid: "1001\t1001\t1001\t1001",
      Gid: "2002\t2002\t2002\t2002",
      Groups: "2002 3003 4004",
    });
    expect(await look("pod-and-own", "own")).toMatchObject({ Uid: "1002\t1002\t1002\t1002", Groups: "2003 3003 4004" });
  });

  test.each([
    ["merged", "1000\n1000\n1000 50000 60000"],
    ["merged-group", "1000\n7000\n7000 50000 60000"],
    ["strict", "1000\n1000\n1000 60000"],
    ["strict-group", "1000\n7000\n7000 60000"],
    // Of an image's USER the kubelet passes on the user alone.
    ["of-image", "1234\n0\n0"],
    ["named", "1000\n1000\n1000 50000"],
  ])("%s: those of the image by the policy", async (name, expected) => {
    expect(await groupsOf(name)).toBe(expected);
    const [uid, gid, groups] = expected.split("\n").map((line) => line.split(" ").map(Number));
    const { status } = await podOf(name);
    expect(status.containerStatuses?.[0]?.user).toEqual({
      linux: { uid: uid?.[0], gid: gid?.[0], supplementalGroups: groups },
    });
  });

  test("a program run in it has the same", async () => {
    expect(await said("merged-group", "c", "grep ^Groups /proc/self/status")).toMatch(/7000 50000 60000/);
  });

  test("a container that would run as root and must not waits, and says why", async () => {
    const runAsNonRoot = true;
    await make("not-root", {
      securityContext: { runAsNonRoot },
      containers: {
        image: {},
        zero: { securityContext: { runAsUser: 0 } },
        named: { image: "named:test" },
        fine: { securityContext: { runAsUser: 5 } },
      },
    });
    const uid = await cluster.ok("get pod not-root -o jsonpath={.metadata.uid}");
    const where = (name: string) => `(pod: "not-root_default(${uid})", container: ${name})`;
    const expected = {
      image: `container has runAsNonRoot and image will run as root ${where("image")}`,
      zero: `container's runAsUser breaks non-root policy ${where("zero")}`,
      named: `container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root ${where("named")}`,
      fine: undefined,
    };
    await eventually("all are told", async () => {
      const states = (await podOf("not-root")).status.containerStatuses?.map(({ name, state }) => [
        name,
        state.waiting,
      ]);
      const messages = states?.map(([name, waiting]) => [name, (waiting as { message?: string } | undefined)?.message]);
      expect(Object.fromEntries(messages ?? [])).toEqual(expected);
      return true;
    });
    await told("not-root", `Error: ${expected.image}`);
  });
});

describe("capabilities, privileges and seccomp", () => {
  const asked: Record<string, object> = {
    plain: {},
    "drop-all": { capabilities: { drop: ["ALL"] } },
    "drop-all-add": { capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] } },
    "drop-one": { capabilities: { drop: ["CAP_MKNOD", "net_raw"] } },
    "add-one": { capabilities: { add: ["SYS_TIME"] } },
    "add-all-drop": { capabilities: { add: ["ALL"], drop: ["CHOWN"] } },
    "both-all": { capabilities: { add: ["ALL"], drop: ["ALL"] } },
    "no-escalation": { allowPrivilegeEscalation: false },
    escalation: { allowPrivilegeEscalation: true },
    user: { runAsUser: 1000, capabilities: { add: ["SYS_TIME"] } },
    privileged: { privileged: true, seccompProfile: { type: "RuntimeDefault" } },
    "seccomp-default": { seccompProfile: { type: "RuntimeDefault" } },
    "seccomp-none": { seccompProfile: { type: "Unconfined" } },
    "seccomp-local": { seccompProfile: { type: "Localhost", localhostProfile: PROFILE } },
    selinux: { seLinuxOptions: { level: "s0:c0,c1" } },
  };
  let machine: string;
  beforeAll(async () => {
    const containers = Object.fromEntries(Object.entries(asked).map(([name, own]) => [name, { securityContext: own }]));
    await make("powers", { containers });
    const pod = { seccompProfile: { type: "RuntimeDefault" } };
    const own = { securityContext: { seccompProfile: { type: "Unconfined" } } };
    await make("pod-profile", { securityContext: pod, containers: { c: {}, own } });
    await running("powers", "pod-profile");
    machine = /^CapBnd:\s*(\w+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  });

  const without = (set: string, bit: number) =>
    (BigInt(`0x${set}`) & ~(1n << BigInt(bit))).toString(16).padStart(16, "0");
  const withBit = (set: string, bit: number) =>
    (BigInt(`0x${set}`) | (1n << BigInt(bit))).toString(16).padStart(16, "0");
  const [CHOWN, NET_RAW, SYS_TIME, MKNOD] = [0, 13, 25, 27];

  test("the bounding set is containerd's, plus and minus what is asked", async () => {
    const sets = await Promise.all(
      Object.keys(asked).map(async (name) => [name, (await look("powers", name)).CapBnd] as const),
    );
    expect(Object.fromEntries(sets)).toMatchObject({
      plain: DEFAULT_CAPABILITIES,
      "drop-all": NONE,
      "drop-all-add": NET_BIND_SERVICE,
      "drop-one": without(without(DEFAULT_CAPABILITIES, MKNOD), NET_RAW),
      "add-one": withBit(DEFAULT_CAPABILITIES, SYS_TIME),
      "add-all-drop": without(machine, CHOWN),
      "both-all": NONE,
      "no-escalation": DEFAULT_CAPABILITIES,
      user: withBit(DEFAULT_CAPABILITIES, SYS_TIME),
      privileged: machine,
    });
  });

  test("root has what is bounded, others nothing", async () => {
    const root = await look("powers", "add-one");
    expect(root).toMatchObject({ CapEff: root.CapBnd, CapPrm: root.CapBnd, CapInh: NONE, CapAmb: NONE });
    expect(await look("powers", "user")).toMatchObject({ CapEff: NONE, CapPrm: NONE, CapInh: NONE, CapAmb: NONE });
  });

  test("no new privileges only where escalation is forbidden", async () => {
    const found = await Promise.all(["plain", "escalation", "no-escalation"].map((name) => look("powers", name)));
    expect(found.map((status) => status.NoNewPrivs)).toEqual(["0", "0", "1"]);
  });

  test("seccomp is off without a profile, and never holds for privileged containers", async () => {
    const names = ["plain", "seccomp-none", "seccomp-default", "seccomp-local", "privileged"];
    const found = await Promise.all(names.map((name) => look("powers", name)));
    expect(found.map((status) => status.Seccomp)).toEqual(["0", "0", "2", "2", "0"]);
    const [pod, own] = await Promise.all(["c", "own"].map((name) => look("pod-profile", name)));
    expect([pod?.Seccomp, own?.Seccomp]).toEqual(["2", "0"]);
  });

  test("a profile of the node forbids what it says, and no more", async () => {
    expect((await inside("powers", "seccomp-local", "mkdir /tmp/x")).all).toContain("Operation not permitted");
    expect(await said("powers", "seccomp-local", "touch /tmp/y && echo done")).toBe("done");
  });

  test("a profile that is not there keeps the container from being made", async () => {
    const localhostProfile = "no/such.json";
    await make("no-profile", {
      containers: { c: { securityContext: { seccompProfile: { type: "Localhost", localhostProfile } } } },
    });
    const path = join(SECCOMP_FOLDER, localhostProfile);
    const message = `failed to create containerd container: cannot load seccomp profile "${path}": open ${path}: no such file or directory`;
    await eventually("the pod says it", async () => {
      const waiting = (await podOf("no-profile")).status.containerStatuses?.[0]?.state.waiting;
      expect(waiting).toEqual({ reason: "CreateContainerError", message });
      return true;
    });
    await told("no-profile", `Error: ${message}`);
  });

  test("options for SELinux keep no container from running", async () => {
    expect(await said("powers", "selinux", "echo runs")).toBe("runs");
  });

  describe("a container without privileges cannot", () => {
    test.each([
      ["mount", "mount -t tmpfs none /tmp"],
      ["open a disk that it makes a node of", "busybox mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk"],
      ["ask the kernel for a reboot", "echo b >/proc/sysrq-trigger"],
      ["change the kernel's settings", "echo 1 >/proc/sys/vm/drop_caches"],
      ["write to /sys", "echo 1 >/sys/kernel/profiling"],
      ["make a cgroup", "cd /sys/fs/cgroup; [ -d memory ] && cd memory; mkdir x"],
      ["change the host name", "hostname other"],
      ["give a network device another state", "ip link set lo down"],
      ["read the machine's memory", "head -c 1 /dev/mem"],
    ])("%s", async (_, script) => {
      const done = await inside("powers", "plain", script);
      expect(done.code).not.toBe(0);
      expect(done.all).toMatch(
        /not permitted|read-only file system|permission denied|nonexistent directory|no such file/i,
      );
    });

    test("see what is masked", async () => {
      for (const file of ["kcore", "keys", "timer_list", "interrupts"])
        expect(await said("powers", "plain", `cat /proc/${file} 2>/dev/null | head -c 10`)).toBe("");
      expect(await said("powers", "plain", "ls /sys/firmware /proc/scsi /proc/acpi 2>/dev/null | grep -v :")).toBe("");
    });

    test("see other processes of the machine", async () => {
      expect(await said("powers", "plain", "ls /proc | grep -c '^[0-9]'")).toMatch(/^[1-6]$/);
    });
  });

  test("a privileged container has devices, and may write everywhere", async () => {
    const mounts = await said("powers", "privileged", "cat /proc/self/mountinfo");
    expect(mounts).toMatch(/ \/sys rw,/);
    expect(mounts).not.toMatch(/ \/proc\/(kcore|sys|sysrq-trigger) /);
    expect(await said("powers", "plain", "cat /proc/self/mountinfo")).toMatch(/ \/sys ro,/);
    const script =
      "mount -t tmpfs none /tmp && mkdir /tmp/x && ls /dev/kmsg && head -c 1 /proc/interrupts >/tmp/y && echo done";
    expect(await said("powers", "privileged", script)).toMatch(/\/dev\/kmsg\ndone$/);
  });
});

test("a read-only root has places that can be written all the same", async () => {
  await make("read-only", {
    volumes: [{ name: "room", emptyDir: {} }],
    containers: {
      c: {
        securityContext: { readOnlyRootFilesystem: true },
        volumeMounts: [{ name: "room", mountPath: "/room" }],
      },
      other: {},
    },
  });
  await running("read-only");
  expect((await inside("read-only", "c", "touch /x")).all).toContain("Read-only file system");
  expect(await said("read-only", "c", "touch /room/x /dev/shm/x && echo x >/dev/termination-log && echo done")).toBe(
    "done",
  );
  expect((await inside("read-only", "c", "echo x >>/etc/resolv.conf")).all).toContain("Read-only file system");
  expect(await said("read-only", "other", "touch /x && echo >>/etc/resolv.conf && echo done")).toBe("done");
});

describe("sysctls", () => {
  const setting = (name: string, value: string) => ({ sysctls: [{ name, value }] });

  test("safe and allowed ones are set in the pod's own namespaces, for all of its containers", async () => {
    const sysctls = [
      { name: "kernel/shm_rmid_forced", value: "1" },
      { name: "kernel.msgmax", value: "16384" },
      { name: "net.ipv4.ip_local_port_range", value: "20000 20100" },
      { name: "net.ipv4.tcp_keepalive_time", value: "77" },
    ];
    await make("tuned", { securityContext: { sysctls }, containers: { a: {}, b: {} } });
    await running("tuned");
    const script =
      "cd /proc/sys; cat kernel/shm_rmid_forced kernel/msgmax net/ipv4/ip_local_port_range net/ipv4/tcp_keepalive_time";
    for (const name of ["a", "b"]) expect(await said("tuned", name, script)).toBe("1\n16384\n20000\t20100\n77");
    expect(readFileSync("/proc/sys/kernel/msgmax", "utf8").trim()).not.toBe("16384");
    expect(readFileSync("/proc/sys/net/ipv4/tcp_keepalive_time", "utf8").trim()).not.toBe("77");
  });

  test("others keep the node from taking the pod", async () => {
    await make("forbidden", { securityContext: setting("vm.swappiness", "10"), containers: { c: {} } });
    await eventually("it fails", async () => (await podOf("forbidden")).status.phase === "Failed");
    const message = 'forbidden sysctl: "vm.swappiness" not allowlisted';
    const { status } = await podOf("forbidden");
    expect(status).toMatchObject({ reason: "SysctlForbidden", message: `Pod was rejected: ${message}` });
    await told("forbidden", message);
    expect(await eventsOf("forbidden")).toMatch(new RegExp(`SysctlForbidden .*${message}`));
  });

  test("one that the kernel does not take keeps the sandbox from being made", async () => {
    await make("refused", { securityContext: setting("kernel.msgmax", "many"), containers: { c: {} } });
    await eventually("an event says so", async () => {
      expect(await eventsOf("refused")).toMatch(
        /FailedCreatePodSandBox .*Failed to create pod sandbox: .*kernel\/msgmax/,
      );
      return true;
    });
  });

  test("without any, a user who is not root may listen on a low port", async () => {
    await make("low-port", {
      securityContext: { runAsUser: 1000 },
      containers: { c: { command: ["httpd", "-f", "-p", "80", "-h", "/etc"] } },
    });
    await running("low-port");
    await eventually(
      "it listens",
      async () => (await said("low-port", "c", "wget -qO- http://127.0.0.1/passwd | head -c 4")) === "root",
    );
  });
});

describe("namespaces", () => {
  const KINDS = ["ipc", "uts", "net", "pid", "mnt", "user"] as const;
  const namespaces = async (pod: string, container: string) => {
    const links = await said(pod, container, KINDS.map((kind) => `readlink /proc/self/ns/${kind}`).join(";"));
    return Object.fromEntries(links.split("\n").map((link, n) => [KINDS[n], link])) as Record<string, string>;
  };
  const ofMachine = (kind: string) => readlinkSync(`/proc/self/ns/${kind}`);

  test("containers of a pod share IPC, host name and network, and have their own processes and files", async () => {
    const named = { securityContext: { capabilities: { add: ["SYS_ADMIN"] } } };
    await make("together", { containers: { a: named, b: {} } });
    await running("together");
    const [a, b] = await Promise.all([namespaces("together", "a"), namespaces("together", "b")]);
    for (const kind of ["ipc", "uts", "net", "user"]) expect(a[kind], kind).toBe(b[kind]);
    for (const kind of ["pid", "mnt"]) expect(a[kind], kind).not.toBe(b[kind]);
    for (const kind of ["ipc", "uts", "net", "pid", "mnt"]) expect(a[kind], kind).not.toBe(ofMachine(kind));
    expect(await said("together", "a", "hostname; cat /etc/hostname")).toBe("together\ntogether");
    await inside("together", "a", "touch /dev/mqueue/letters; echo x >/dev/shm/paper; hostname changed");
    expect(await said("together", "b", "ls /dev/mqueue /dev/shm; hostname")).toMatch(
      /letters[\s\S]*paper[\s\S]*changed/,
    );
    expect(hostname()).not.toBe("changed");
  });

  test("what is in them outlives a container", async () => {
    const script = "cd /dev; ls mqueue shm; [ -e shm/page ] && exec sleep 1000; touch mqueue/letter shm/page; exit 1";
    await make("again", { containers: { c: { command: ["sh", "-c", script] } } });
    await eventually("it runs again", async () => {
      const found = await cluster.kubectl("get pod again -o jsonpath={.status.containerStatuses[0]}");
      return /"restartCount":1/.test(found.stdout) && /"running"/.test(found.stdout);
    });
    await eventually("it finds them", async () => /letter[\s\S]*page/.test(await cluster.ok("logs again")));
    expect(await said("again", "c", "grep /dev/shm /proc/self/mountinfo")).toMatch(/ rw,nosuid,nodev,noexec,/);
  });

  test("the machine's where a pod asks for them, and only then", async () => {
    await make("of-machine", { hostNetwork: true, hostPID: true, hostIPC: true, containers: { c: {}, other: {} } });
    await make("of-machine-ipc", { hostIPC: true, containers: { c: {} } });
    await make("of-machine-pid", { hostPID: true, containers: { c: {} } });
    await running("of-machine", "of-machine-ipc", "of-machine-pid");
    const [all, ipc, pid] = await Promise.all(
      ["of-machine", "of-machine-ipc", "of-machine-pid"].map((name) => namespaces(name, "c")),
    );
    for (const kind of ["net", "pid", "ipc"]) expect(all?.[kind], kind).toBe(ofMachine(kind));
    expect((await namespaces("of-machine", "other")).uts).toBe(all?.uts);
    expect(ipc?.ipc).toBe(ofMachine("ipc"));
    expect(pid?.pid).toBe(ofMachine("pid"));
    for (const kind of ["net", "pid", "uts"]) expect(ipc?.[kind], kind).not.toBe(ofMachine(kind));
    for (const kind of ["net", "ipc", "uts"]) expect(pid?.[kind], kind).not.toBe(ofMachine(kind));
    expect(await said("of-machine", "c", `cat /proc/${process.pid}/cmdline | head -c 4`)).not.toBe("");
    expect(await said("of-machine-ipc", "c", "stat -c %d /dev/shm")).toBe(
      await said("of-machine", "c", "stat -c %d /dev/shm"),
    );
  });

  test("processes that are shared see each other, under pause", async () => {
    await make("processes", { shareProcessNamespace: true, containers: { a: {}, b: { command: ["sleep", "2345"] } } });
    await running("processes");
    expect(await said("processes", "a", "cat /proc/1/cmdline")).toContain("pause");
    const [pid] = (await said("processes", "a", "ps | grep '[s]leep 2345'")).trim().split(/\s+/);
    expect(await said("processes", "a", `ls /proc/${pid}/root/bin/busybox && kill -9 ${pid} && echo done`)).toContain(
      "done",
    );
  });

  test("user namespaces are refused, as nothing here can make them, and the node says so", async () => {
    await make("own-users", { hostUsers: false, containers: { c: {} } });
    await eventually("an event says so", async () =>
      (await eventsOf("own-users")).includes(
        "Failed to create pod sandbox: can't set `spec.hostUsers: false`, runtime does not support user namespaces",
      ),
    );
    const { status } = await cluster.json<{
      status: { features: object; runtimeHandlers: { name: string; features: { userNamespaces: boolean } }[] };
    }>("get node node-a");
    expect(status.features).toEqual({ supplementalGroupsPolicy: true });
    expect(status.runtimeHandlers.map(({ name, features }) => [name, features.userNamespaces])).toEqual([
      ["", false],
      ["runc", false],
      ["other", false],
    ]);
  });
});

describe("a RuntimeClass", () => {
  const runtimeClass = (name: string, handler: string) =>
    cluster.apply(JSON.stringify({ apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata: { name }, handler }));

  test("chooses the runtime of the pod's containers", async () => {
    await runtimeClass("other", "other");
    await runtimeClass("usual", "runc");
    const containers = { c: { securityContext: { runAsGroup: 7000 } } };
    await make("other-runtime", { runtimeClassName: "other", containers });
    await make("usual-runtime", { runtimeClassName: "usual", containers });
    await running("other-runtime", "usual-runtime");
    const idOf = async (pod: string) =>
      (await cluster.ok(`get pod ${pod} -o jsonpath={.status.containerStatuses[0].containerID}`)).split("//")[1] ?? "";
    const [other, usual] = await Promise.all(["other-runtime", "usual-runtime"].map(idOf));
    const log = readFileSync(runtimeLog, "utf8");
    expect(log).toMatch(new RegExp(`create .*${other}`));
    expect(log).not.toContain(usual);
    expect(await said("other-runtime", "c", "id -g")).toBe("7000");
  });

  test("whose handler the node lacks keeps the sandbox from being made", async () => {
    await runtimeClass("unheard-of", "unheard-of");
    await make("unheard-of", { runtimeClassName: "unheard-of", containers: { c: {} } });
    await eventually("an event says so", async () =>
      (await eventsOf("unheard-of")).includes(
        'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "unheard-of" is configured',
      ),
    );
    expect((await podOf("unheard-of")).status.phase).toBe("Pending");
  });
});

test("AppArmor holds where the machine has it, and elsewhere keeps pods away that rely on it", async () => {
  const profile = (type: string) => ({ containers: { c: { securityContext: { appArmorProfile: { type } } } } });
  await make("armored", profile("RuntimeDefault"));
  await make("unarmored", profile("Unconfined"));
  await running("unarmored");
  if (hasAppArmor()) {
    await running("armored");
    expect(await said("armored", "c", "cat /proc/1/attr/current")).toMatch(/\(enforce\)$/);
    expect(await said("unarmored", "c", "cat /proc/1/attr/current")).toBe("unconfined");
    return;
  }
  await eventually("it fails", async () => (await podOf("armored")).status.phase === "Failed");
  expect((await podOf("armored")).status).toMatchObject({
    reason: "AppArmor",
    message: "Pod was rejected: Cannot enforce AppArmor: AppArmor is not enabled on the host",
  });
});
