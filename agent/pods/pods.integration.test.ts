import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../test/support/cluster.ts";
import { startRuntime, type TestRuntime } from "../../test/support/containerd.ts";
import { BUSYBOX_IMAGE, writeBusyboxImage } from "../../test/support/image.ts";
import type {
  CoreV1ConfigMap,
  CoreV1Container,
  CoreV1ContainerStatus,
  CoreV1Event,
  CoreV1Pod,
  CoreV1PodSpec,
  CoreV1PodStatus,
  CoreV1Secret,
} from "../../worker/kinds/generated/types.ts";
import type { Json } from "../../worker/protocol/link.ts";
import { clusterClock } from "../clock.ts";
import type { Desired } from "../desired.ts";
import { effects, steadyEffects } from "../effects.ts";
import { command } from "../network/commands.ts";
import { PodNamespaces } from "../network/pod-namespaces.ts";
import { execOnce } from "../streams/exec-once.ts";
import { mountPoints } from "../volumes/mounts.ts";
import { attachTo } from "./attached.ts";
import { machineHost } from "./host.ts";
import { PodManager } from "./manager.ts";
import { sandboxName } from "./memory.ts";

/** Stands in for the cluster: keeps what the agent tells, and lets a pod go when its end is confirmed. */
class Cluster {
  readonly pods = new Map<string, CoreV1Pod>();
  readonly configMaps = new Map<string, CoreV1ConfigMap>();
  readonly secrets = new Map<string, CoreV1Secret>();
  readonly statuses = new Map<string, CoreV1PodStatus>();
  readonly events: CoreV1Event[] = [];
  manager: PodManager | undefined;
  online = true;

  desired(): Desired {
    const pods = new Map([...this.pods.values()].map((pod) => [pod.metadata.uid ?? "", pod]));
    return { pods, configMaps: this.configMaps, secrets: this.secrets, services: [] };
  }

  sync(): void {
    this.manager?.sync(this.desired());
  }

  run(name: string, spec: Partial<CoreV1PodSpec>, container: Partial<CoreV1Container>): void {
    const containers = [{ name: "main", image: BUSYBOX_IMAGE, ...container }, ...(spec.containers ?? [])];
    this.pods.set(name, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "default", uid: effects.uid(), labels: { app: name } },
      spec: { terminationGracePeriodSeconds: 1, ...spec, containers },
    });
    this.sync();
  }

  delete(name: string, grace: number): void {
    const pod = this.pods.get(name);
    if (!pod) return;
    const marked = { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: grace };
    this.pods.set(name, { ...pod, metadata: { ...pod.metadata, ...marked } });
    this.sync();
  }

  readonly api = async (method: string, path: string, body?: Json): Promise<{ code: number; body: Json }> => {
    if (!this.online) throw new Error("offline");
    const name = path.split("/")[6] ?? "";
    if (path.endsWith("/status")) {
      const { status } = body as { status: CoreV1PodStatus };
      this.statuses.set(name, status);
    } else if (path.endsWith("/token")) return { code: 201, body: { status: { token: "a.b.c" } } };
    else if (method === "POST") this.events.push(body as unknown as CoreV1Event);
    else if (method === "DELETE") {
      this.pods.delete(name);
      setTimeout(() => this.sync(), 0);
    }
    return { code: 200, body: {} };
  };

  main(name: string): CoreV1ContainerStatus | undefined {
    return this.statuses.get(name)?.containerStatuses?.[0];
  }

  isReady(name: string): boolean {
    return this.statuses.get(name)?.conditions?.find((c) => c.type === "Ready")?.status === "True";
  }

  messages(name: string): string[] {
    return this.events.filter((e) => e.involvedObject.name === name).map((e) => `${e.reason}: ${e.message}`);
  }
}

const sh = (script: string) => ({ command: ["sh", "-c", script] });

const until = (what: string, condition: () => boolean | Promise<boolean>) => eventually(what, async () => condition());

describe("pods on a real containerd", () => {
  const cluster = new Cluster();
  let runtime: TestRuntime;

  const networks = new PodNamespaces({
    command,
    prefix: `skt${process.pid}`,
    podCIDR: "10.99.32.0/24",
    gateway: "10.99.32.1",
    mtu: 1500,
  });

  const newManager = () =>
    new PodManager({
      nodeName: "node-1",
      hostIPs: () => ["192.0.2.1"],
      runtime: runtime.nerdctl,
      host: machineHost({ home: runtime.home, nerdctl: runtime.nerdctl, api: cluster.api, effects }),
      network: {
        open: (sandbox) => networks.open(sandbox),
        close: (sandbox) => networks.close(sandbox),
        addressOf: (sandbox) => networks.addressOf(sandbox),
        allOf: (address) => [address],
        pathOf: (sandbox) => networks.path(sandbox),
        opened: () => networks.names(),
        dns: () => ({ servers: ["10.96.0.10"], searches: ["default.svc.cluster.local"], options: ["ndots:5"] }),
      },
      effects: clusterClock(steadyEffects),
      api: cluster.api,
      log: (message) => process.env.DEBUG && console.log(message),
    });
  const logOf = (name: string, container = "main") => {
    const path = cluster.manager?.find("default", name, "", container)?.logPath ?? "";
    const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
    return lines.map((line) => (JSON.parse(line) as { log: string }).log).join("");
  };
  const exec = async (name: string, ...command: string[]) => {
    const id = cluster.manager?.find("default", name, "", "main")?.containerId ?? "";
    return (await execOnce(runtime.nerdctl, steadyEffects)(id, command, 60_000, 1024 * 1024)).stdout;
  };

  const keeperOf = (name: string, container: string) => {
    const { pid } = cluster.manager?.find("default", name, "", container) ?? {};
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[3];
  };

  beforeAll(async () => {
    runtime = await startRuntime();
    const archive = join(runtime.home, "busybox.tar");
    await writeBusyboxImage(archive);
    await runtime.nerdctl.load(archive);
    cluster.manager = newManager();
    await cluster.manager.start();
    cluster.sync();
  });

  afterAll(async () => {
    await cluster.manager?.stop();
    await runtime?.stop();
  });

  test("a pod runs its init containers, then its containers with env, files and names of its own", async () => {
    const metadata = (name: string) => ({ name, namespace: "default", uid: name, resourceVersion: "1" });
    cluster.configMaps.set("default/settings", { metadata: metadata("settings"), data: { color: "blue" } });
    cluster.secrets.set("default/key", { metadata: metadata("key"), data: { pass: btoa("s3cret") } });
    cluster.run(
      "web",
      {
        hostname: "webhost",
        initContainers: [
          {
            name: "prepare",
            image: BUSYBOX_IMAGE,
            ...sh("echo ready > /work/x"),
            volumeMounts: [{ name: "work", mountPath: "/work" }],
          },
        ],
        volumes: [
          { name: "work", emptyDir: {} },
          { name: "settings", configMap: { name: "settings" } },
          { name: "key", secret: { secretName: "key" } },
          { name: "token", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } },
          { name: "info", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
        ],
      },
      {
        ...sh(
          'cat /work/x; echo "$COLOR $IP $MEM $(hostname) $GREETING"; cat /key/pass /token/token /info/labels; echo; exec sleep 1000',
        ),
        env: [
          { name: "COLOR", valueFrom: { configMapKeyRef: { name: "settings", key: "color" } } },
          { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
          { name: "MEM", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
          { name: "GREETING", value: "hello $(COLOR) $$(COLOR)" },
        ],
        resources: { limits: { memory: "32Mi", cpu: "500m" } },
        volumeMounts: [
          { name: "work", mountPath: "/work" },
          { name: "settings", mountPath: "/settings" },
          { name: "settings", mountPath: "/one", subPath: "color" },
          { name: "key", mountPath: "/key" },
          { name: "key", mountPath: "/settings/own/pass", subPath: "pass" },
          { name: "work", mountPath: "/settings/work" },
          { name: "token", mountPath: "/token" },
          { name: "info", mountPath: "/info" },
        ],
      },
    );
    await until("web is ready", () => cluster.isReady("web"));
    const { podIP, initContainerStatuses, phase } = cluster.statuses.get("web") ?? {};
    expect(phase).toBe("Running");
    expect(podIP).toMatch(/^10\.99\.32\./);
    expect(initContainerStatuses?.[0]?.state?.terminated?.reason).toBe("Completed");
    await until("it printed", () => logOf("web").includes("app="));
    expect(logOf("web")).toBe(`ready\nblue ${podIP} 32 webhost hello blue $(COLOR)\ns3creta.b.capp="web"\n`);
    expect(await exec("web", "cat", "/etc/resolv.conf")).toContain("nameserver 10.96.0.10");
    expect(await exec("web", "cat", "/etc/hosts")).toContain(`${podIP}\twebhost`);
    expect(await exec("web", "cat", "/one")).toBe("blue");
    expect(await exec("web", "cat", "/settings/own/pass", "/settings/work/x")).toBe("s3cretready\n");
    for (const path of ["/settings/color", "/one", "/key/new", "/info/new"])
      expect(await exec("web", "sh", "-c", `if echo 1 > ${path}; then echo written; else echo refused; fi`)).toBe(
        "refused\n",
      );
    await until("an event", () => cluster.messages("web").includes("Started: Container started"));
    // What is known without asking is what nerdctl says.
    const { containerId = "", logPath, pid } = cluster.manager?.find("default", "web", "", "main") ?? {};
    const [inspected] = await runtime.nerdctl.inspect([containerId]);
    expect(inspected).toMatchObject({ LogPath: logPath, Image: cluster.main("web")?.image, State: { Pid: pid } });
  });

  test("a changed ConfigMap reaches the running container, but not where a subPath is mounted", async () => {
    const metadata = { name: "settings", namespace: "default", uid: "settings", resourceVersion: "2" };
    cluster.configMaps.set("default/settings", { metadata, data: { color: "green" } });
    cluster.sync();
    await until("it is there", async () => (await exec("web", "cat", "/settings/color")) === "green");
    expect(await exec("web", "cat", "/one")).toBe("blue");
  });

  test("readiness follows the probe both ways, and a failing liveness probe restarts the container", async () => {
    cluster.run(
      "probed",
      {},
      {
        ...sh("touch /tmp/ready /tmp/alive; exec sleep 1000"),
        readinessProbe: {
          exec: { command: ["cat", "/tmp/ready"] },
          periodSeconds: 1,
          timeoutSeconds: 30,
          failureThreshold: 1,
        },
        livenessProbe: {
          exec: { command: ["cat", "/tmp/alive"] },
          periodSeconds: 1,
          timeoutSeconds: 30,
          failureThreshold: 2,
        },
      },
    );
    await until("probed is ready", () => cluster.isReady("probed"));
    // On a busy machine probes may have come before what they look for.
    const before = cluster.main("probed")?.restartCount ?? 0;
    await exec("probed", "rm", "/tmp/ready");
    await until("probed is unready", () => !cluster.isReady("probed"));
    await until("an event", () =>
      cluster.messages("probed").some((message) => /^Unhealthy: Readiness probe failed: cat: /.test(message)),
    );
    await exec("probed", "rm", "/tmp/alive");
    await until(
      "probed was restarted",
      () => (cluster.main("probed")?.restartCount ?? 0) > before && cluster.isReady("probed"),
    );
    expect(cluster.main("probed")?.lastState?.terminated?.exitCode).toBe(137);
    const killing = "Killing: Container main failed liveness probe, will be restarted";
    await until("another event", () => cluster.messages("probed").includes(killing));
    cluster.delete("probed", 0);
  });

  test("a container that fails again and again backs off, and its message says why it ended", async () => {
    cluster.run("crash", {}, { ...sh("echo -n because > /dev/termination-log; exit 3") });
    await until("it backs off", () => cluster.main("crash")?.state?.waiting?.reason === "CrashLoopBackOff");
    const { restartCount, lastState, state } = cluster.main("crash") ?? {};
    expect(restartCount).toBe(1);
    expect(lastState?.terminated).toMatchObject({ exitCode: 3, reason: "Error", message: "because" });
    expect(state?.waiting?.message).toMatch(/^back-off 10s restarting failed container=main pod=crash_default\(/);
    cluster.delete("crash", 0);
  });

  test("a container that takes more memory than its limit is OOMKilled", async () => {
    cluster.run(
      "hog",
      { restartPolicy: "Never" },
      {
        ...sh("head -c 100m /dev/zero | tail"),
        resources: { limits: { memory: "20Mi" } },
      },
    );
    await until("hog has failed", () => cluster.statuses.get("hog")?.phase === "Failed");
    expect(cluster.main("hog")?.state?.terminated).toMatchObject({ reason: "OOMKilled", exitCode: 137 });
    cluster.delete("hog", 0);
  });

  test("a pod that runs to its end succeeds and gives back its sandbox", async () => {
    cluster.run("job", { restartPolicy: "OnFailure" }, sh("exit 0"));
    await until("job succeeded", () => cluster.statuses.get("job")?.phase === "Succeeded");
    await until("its sandbox is gone", () => cluster.statuses.get("job")?.conditions?.[0]?.status === "False");
    expect(cluster.main("job")?.state?.terminated?.reason).toBe("Completed");
    cluster.delete("job", 0);
  });

  test("what cannot be had is named: image, ConfigMap, command", async () => {
    cluster.run("noimage", {}, { image: "skerry.dev/absent:1", imagePullPolicy: "Never" });
    cluster.run(
      "noconfig",
      {},
      {
        ...sh("sleep 1000"),
        env: [{ name: "X", valueFrom: { configMapKeyRef: { name: "later", key: "x" } } }],
      },
    );
    cluster.run("nocommand", {}, { command: ["/absent"] });
    cluster.run("noname", {}, { image: "skerry.dev/Nginx" });
    const none = { configMap: { name: "nope" } };
    const volumes = ["v", "unused"].map((name) => ({ name, ...none }));
    cluster.run("novolume", { volumes }, { ...sh("sleep 1000"), volumeMounts: [{ name: "v", mountPath: "/v" }] });
    const waiting = (name: string) => cluster.main(name)?.state?.waiting;
    await until(
      "all wait",
      () =>
        waiting("noimage")?.reason === "ErrImageNeverPull" &&
        waiting("noconfig")?.reason === "CreateContainerConfigError" &&
        waiting("nocommand")?.reason === "CrashLoopBackOff" &&
        waiting("noname")?.reason === "InvalidImageName" &&
        cluster.messages("novolume").length > 0,
    );
    expect(waiting("noconfig")?.message).toBe('configmap "later" not found');
    expect(cluster.main("nocommand")?.lastState?.terminated).toMatchObject({ exitCode: 128, reason: "StartError" });
    expect(waiting("noname")?.message).toContain("repository name (Nginx) must be lowercase");
    expect([...new Set(cluster.messages("novolume"))]).toEqual([
      'FailedMount: MountVolume.SetUp failed for volume "v" : configmap "nope" not found',
    ]);
    const metadata = { name: "later", namespace: "default", uid: "later", resourceVersion: "1" };
    cluster.configMaps.set("default/later", { metadata, data: { x: "1" } });
    cluster.sync();
    await until("it starts once the ConfigMap is there", () => cluster.isReady("noconfig"));
    for (const name of ["noimage", "noconfig", "nocommand", "novolume", "noname"]) cluster.delete(name, 0);
  });

  test("images are volumes, a file says what is in the environment, and what cannot be had of these is named", async () => {
    const mount = (name: string, given: object = {}) => [{ name, mountPath: `/${name}`, ...given }];
    const image = (reference: string) => [{ name: "tools", image: { reference, pullPolicy: "Never" } }];
    const shell = sh("test -x /tools/bin/busybox && sleep 1000");
    cluster.run("tools", { volumes: image(BUSYBOX_IMAGE) }, { ...shell, volumeMounts: mount("tools") });
    cluster.run("notools", { volumes: image("skerry.dev/none:1") }, { ...shell, volumeMounts: mount("tools") });
    const subPath = { subPath: "none" };
    cluster.run("nopart", { volumes: image(BUSYBOX_IMAGE) }, { ...shell, volumeMounts: mount("tools", subPath) });
    const write = { name: "write", image: BUSYBOX_IMAGE, volumeMounts: mount("dir") };
    const initContainers = [{ ...write, ...sh(`echo "COLOR='deep blue' # said" > /dir/env`) }];
    const volumes = [{ name: "dir", emptyDir: {} }];
    const env = (key: string) => [
      { name: "COLOR", valueFrom: { fileKeyRef: { volumeName: "dir", path: "env", key } } },
      { name: "TOLD", value: "it is $(COLOR), not $(HOSTNAME)" },
      { name: "HOSTNAME", value: `its "own"` },
    ];
    const tell = sh("echo $TOLD: $HOSTNAME; hostname; sleep 1000");
    cluster.run("file", { initContainers, volumes }, { ...tell, env: env("COLOR") });
    cluster.run("nokey", { initContainers, volumes }, { ...tell, env: env("NONE") });
    const long = "n".repeat(40);
    cluster.run(long, { subdomain: "sub", setHostnameAsFQDN: true }, sh("sleep 1000"));
    const waiting = (name: string) => cluster.main(name)?.state?.waiting;
    await until("what can run runs, and the others wait", () =>
      [
        cluster.isReady("tools") && cluster.isReady("file"),
        waiting("notools")?.reason === "ErrImageNeverPull",
        waiting("nopart")?.reason === "CreateContainerError",
        waiting("nokey")?.reason === "CreateContainerConfigError",
        cluster.messages(long).length > 0,
      ].every(Boolean),
    );
    await until("it printed", () => logOf("file").includes("\nfile\n"));
    expect(logOf("file")).toBe(`it is deep blue, not $(HOSTNAME): its "own"\nfile\n`);
    expect(await exec("file", "env")).toMatch(/^HOSTNAME=its "own"$/m);
    expect(await exec("tools", "env")).toMatch(/^HOSTNAME=tools$/m);
    expect(waiting("notools")?.message).toContain('image "skerry.dev/none:1" is not present');
    expect(waiting("nopart")?.message).toContain('ImageVolumeMountFailed: failed to ensure image subpath "none"');
    expect(waiting("nokey")?.message).toMatch(/^environment variable key "NONE" not found in file ".*\/dir\/env"$/);
    expect(cluster.messages(long)[0]).toContain("(64 characters is the max, 70 characters requested)");
    for (const name of ["tools", "notools", "nopart", "file", "nokey", long]) cluster.delete(name, 0);
    await until("they are gone", () => cluster.pods.size === 0 || !cluster.pods.has("tools"));
  });

  test("a container with stdin talks with who attaches, and stdinOnce ends with the first", async () => {
    cluster.run(
      "talk",
      { restartPolicy: "Never" },
      { ...sh("read x; echo got $x; cat"), stdin: true, stdinOnce: true },
    );
    cluster.run("shell", {}, { command: ["sh"], stdin: true, tty: true });
    await until("both run", () => cluster.isReady("talk") && cluster.isReady("shell"));
    const attach = async (name: string) => {
      const heard = { text: "" };
      const socket = cluster.manager?.find("default", name, "", "main")?.attachSocket ?? "";
      const attached = await attachTo(socket, async (_, data) => {
        heard.text += data.toString();
      });
      return { ...attached, heard };
    };
    const talk = await attach("talk");
    talk.write(Buffer.from("hello\nmore\n"));
    await until("it answers", () => talk.heard.text === "got hello\nmore\n");
    talk.close();
    await until("it ended", () => cluster.statuses.get("talk")?.phase === "Succeeded");
    const shell = await attach("shell");
    shell.resize({ width: 100, height: 33 });
    shell.write(Buffer.from("test -t 0 && echo tty-$((40 + 2))\n"));
    await until("the shell answers", () => shell.heard.text.includes("tty-42\r\n"));
    shell.close();
    const again = await attach("shell");
    again.write(Buffer.from("exit 5\n"));
    await again.closed;
    await until("the shell was restarted", () => cluster.main("shell")?.restartCount === 1);
    expect(cluster.main("shell")?.lastState?.terminated?.exitCode).toBe(5);
    for (const name of ["talk", "shell"]) cluster.delete(name, 0);
  });

  test("a new agent adopts running pods without a restart, offline too, and goes on", async () => {
    const before = cluster.manager?.find("default", "web", "", "main");
    await cluster.manager?.stop();
    cluster.online = false;
    cluster.manager = newManager();
    await cluster.manager.start();
    cluster.sync();
    await until("web is known", () => cluster.manager?.find("default", "web", "", "main")?.running === true);
    expect(cluster.manager.find("default", "web", "", "main")?.containerId).toBe(before?.containerId);
    process.kill(before?.pid ?? 0, "SIGKILL");
    await until("web restarts offline", () => {
      const now = cluster.manager?.find("default", "web", "", "main");
      return now?.running === true && now.containerId !== before?.containerId;
    });
    cluster.online = true;
    cluster.manager.online();
    await until("it is told", () => cluster.main("web")?.restartCount === 1 && cluster.isReady("web"));
  });

  test("containers of a pod share its network and /dev/shm, and its processes where asked to", async () => {
    const other = {
      name: "other",
      image: BUSYBOX_IMAGE,
      ...sh("echo shared > /dev/shm/x; httpd -f -p 127.0.0.1:81 -h /dev/shm"),
    };
    cluster.run("apart", { containers: [other] }, sh("exec sleep 1000"));
    cluster.run("together", { containers: [other], shareProcessNamespace: true }, sh("exec sleep 1000"));
    await until("both are ready", () => cluster.isReady("apart") && cluster.isReady("together"));
    for (const name of ["apart", "together"]) {
      await until("it serves", async () => (await exec(name, "wget", "-qO-", "http://127.0.0.1:81/x")) === "shared\n");
      expect(await exec(name, "cat", "/dev/shm/x")).toBe("shared\n");
    }
    expect(keeperOf("apart", "main")).toBe(keeperOf("apart", "other"));
    expect(await exec("apart", "ps")).not.toContain("httpd");
    expect(await exec("together", "ps")).toMatch(/1 .* \/pause\n(.*\n)*.*httpd/);
  });

  test("a pod whose network or pause container is gone begins anew", async () => {
    const { uid: apart = "" } = cluster.pods.get("apart")?.metadata ?? {};
    const before = cluster.statuses.get("apart")?.podIP;
    await networks.close(sandboxName(apart, 0));
    process.kill(cluster.manager?.sandboxOf("default", "together", "")?.pause?.pid ?? 0, "SIGKILL");
    process.kill(cluster.manager?.find("default", "apart", "", "main")?.pid ?? 0, "SIGKILL");
    // A process namespace ends from its members to its first: one may be begun in vain before the first is gone.
    const again = (name: string) => (cluster.main(name)?.restartCount ?? 0) >= 1 && cluster.isReady(name);
    for (const name of ["apart", "together"]) await until(`${name} runs again`, () => again(name));
    expect(cluster.statuses.get("apart")?.podIP).not.toBe(before);
    await until("an event", () => cluster.messages("apart").some((message) => message.startsWith("SandboxChanged")));
    expect(await exec("together", "ps")).toMatch(/1 .* \/pause\n/);
    for (const name of ["apart", "together"]) cluster.delete(name, 0);
  });

  test("a pod that ends says still whether it is ready", async () => {
    cluster.run(
      "leaving",
      {},
      {
        ...sh('touch /tmp/ready; trap "rm /tmp/ready; sleep 500; exit 0" TERM; while :; do sleep 0.1; done'),
        readinessProbe: { exec: { command: ["cat", "/tmp/ready"] }, periodSeconds: 1, failureThreshold: 1 },
      },
    );
    await until("it is ready", () => cluster.isReady("leaving"));
    cluster.delete("leaving", 600);
    await until("it is not ready any more", () => !cluster.isReady("leaving"));
    expect(cluster.main("leaving")?.state?.running).toBeDefined();
    cluster.delete("leaving", 0);
    await until("it is gone", () => !cluster.pods.has("leaving"));
  });

  test("deletion runs preStop, gives the grace and leaves nothing behind", async () => {
    cluster.run(
      "gentle",
      { terminationGracePeriodSeconds: 600, volumes: [{ name: "m", emptyDir: { medium: "Memory" } }] },
      {
        ...sh('trap "echo bye; exit 0" TERM; echo up; while true; do sleep 0.1; done'),
        lifecycle: { preStop: { exec: { command: ["sh", "-c", "echo stopping > /proc/1/fd/1"] } } },
        volumeMounts: [{ name: "m", mountPath: "/m" }],
      },
    );
    await until("gentle is up", () => cluster.isReady("gentle"));
    const uid = cluster.pods.get("gentle")?.metadata.uid ?? "";
    const log = cluster.manager?.find("default", "gentle", "", "main")?.logPath ?? "";
    cluster.delete("gentle", 600);
    await until("it stopped by itself", () => cluster.main("gentle")?.state?.terminated !== undefined);
    expect(cluster.main("gentle")?.state?.terminated?.exitCode).toBe(0);
    await until("it is confirmed", () => !cluster.pods.has("gentle"));
    for (const name of [...cluster.pods.keys()]) cluster.delete(name, 0);
    await until("all are confirmed", () => cluster.pods.size === 0);
    expect(existsSync(log)).toBe(false);
    expect(await runtime.nerdctl.list("skerry.dev/pod-uid")).toEqual([]);
    expect(readdirSync(join(runtime.home, "pods"))).toEqual([]);
    expect(mountPoints(join(runtime.home, "pods"))).toEqual([]);
    expect(existsSync(`/sys/fs/cgroup/memory/skerry/pod${uid}`)).toBe(false);
    expect(networks.names()).toEqual([]);
  });
});
