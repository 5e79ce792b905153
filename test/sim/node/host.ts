import { pullSettings } from "../../../agent/images/pull-settings.ts";
import { securitySettings } from "../../../agent/node/security-settings.ts";
import type { Act } from "../../../agent/pods/handler.ts";
import type { Host } from "../../../agent/pods/host.ts";
import { Label } from "../../../agent/pods/observe.ts";
import type { Processes } from "../../../agent/pods/processes.ts";
import { ProvisionedVolumes } from "../../../agent/volumes/persistent/provisioned.ts";
import type { Api } from "../../../agent/volumes/tokens.ts";
import type { SimNodeOptions } from "../contract.ts";
import { between } from "../world/random.ts";
import type { Disk } from "./disk.ts";
import { ModelDriver } from "./driver.ts";
import type { Machine } from "./machine.ts";
import type { ModelNerdctl } from "./runtime.ts";
import type { Life } from "./time.ts";
import { modelBucket, modelFolders, modelSource, modelVolumes } from "./volumes.ts";

/** The agent of a real machine looks after its processes so often. */
const SWEEP_MS = 2_000;

/** A machine as the pods of one life of its agent meet it. */
export function modelHost(
  machine: Machine,
  disk: Disk,
  nerdctl: ModelNerdctl,
  agent: Life,
  node: string,
  api: Api,
  { volumes, askBucket }: Pick<SimNodeOptions, "volumes" | "askBucket">,
): Host {
  const folders = modelFolders(machine, disk, agent);
  const ownVolumes = new ProvisionedVolumes({
    home: "/var/lib/skerry",
    node,
    api,
    timers: agent.effects,
    folders,
    ...(volumes && { source: modelSource(machine, disk, agent, volumes) }),
    ...(askBucket && { bucket: modelBucket(machine, disk, agent, askBucket) }),
  });
  const driver = new ModelDriver(machine, disk, agent, node, api);
  const mayBeFull = () => {
    if (disk.full) throw new Error("ENOSPC: no space left on device");
    if (machine.troubled && machine.random() < 0.01) throw new Error("ENOSPC: no space left on device");
  };
  return {
    memoryBytes: 8 * 2 ** 30,
    allocatable: () => ({ cpu: "4", memory: "8Gi", "ephemeral-storage": "100Gi" }),
    processes: processes(machine, agent),
    runtimeLimits: { version: 1, swap: false, pageSizes: [] },
    cgroups: {
      parentOf: (uid) => `/kubepods/pod${uid}`,
      make: () => {},
      balance: () => {},
      uids: () => [],
      usage: () => undefined,
      end(uid, id) {
        const left = machine.running().filter(({ labels }) => labels[Label.podUid] === uid);
        const meant = left.filter((container) => id === undefined || container.id === id);
        for (const { task } of meant) if (task) machine.signal(task.pid, "SIGKILL");
        return meant.length === 0;
      },
      remove: () => true,
      oomKills: (_, id) => (machine.containers.get(id)?.task?.end?.oom ? 1 : 0),
    },
    files: {
      uids: () => [...disk.pods.keys()],
      memory: (uid) => {
        const text = disk.pods.get(uid);
        return text === undefined || text === "" ? undefined : JSON.parse(text);
      },
      remember(uid, memory) {
        mayBeFull();
        disk.pods.set(uid, memory);
      },
      messageFile(uid, container, attempt) {
        mayBeFull();
        return `/pods/${uid}/${container}/${attempt % 2}`;
      },
      message: () => undefined,
      writeNames: mayBeFull,
      names: () => [],
    },
    volumes: modelVolumes(machine, disk, agent, ownVolumes, driver),
    attached: driver,
    ownVolumes,
    volumeData: ownVolumes,
    security: {
      settings: securitySettings(),
      runtimes: { of: () => "runc" },
      namespaces: {
        open: async () => ({ ipc: "host", uts: "host", shm: "/dev/shm" }),
        close: async () => {},
        opened: () => [],
      },
      hasAppArmor: false,
      hasSELinux: false,
      handlerOf: async () => "",
      userOf: () => undefined,
    },
    images: { ...pullSettings(), records: machine.imageRecords, nodeCredentials: async () => [] },
    act: acting(machine, agent),
    async prepare() {
      nerdctl.endLeftovers();
      await agent.effects.sleep(20);
    },
    runKept: (options, _, urgency) => nerdctl.runKept(options, urgency),
    attachSocket: () => undefined,
  };
}

/** Sweeps happen only after a process has ended; the others would find nothing. */
function processes(machine: Machine, agent: Life): Processes {
  return {
    startTicks: (pid) => machine.process(pid)?.startTicks,
    signal: (pid, name) => machine.signal(pid, name),
    watch(look) {
      const begun = agent.effects.now();
      let due = false;
      const mourner = () => {
        if (due) return;
        due = true;
        agent.effects.after(SWEEP_MS - ((agent.effects.now() - begun) % SWEEP_MS), () => {
          due = false;
          look();
        });
      };
      machine.mourners.add(mourner);
      return () => machine.mourners.delete(mourner);
    },
  };
}

/** Probes and hooks succeed where the program is well, and mostly so when the machine is in trouble. */
function acting(machine: Machine, agent: Life): Act {
  return async (action, { containerId }, timeoutMs) => {
    const { effects } = agent;
    if (action.sleep) {
      await effects.sleep((action.sleep.seconds ?? 0) * 1000);
      return { ok: true, output: "" };
    }
    const slow = machine.troubled && machine.random() < 0.02;
    await effects.sleep(slow ? timeoutMs : Math.min(between(machine.random, 2, 60), timeoutMs));
    const task = machine.containers.get(containerId)?.task;
    if (!task || task.end) return { ok: false, output: "connect: connection refused" };
    if (slow) return { ok: false, output: "context deadline exceeded" };
    if (!machine.answers && action.exec) return { ok: false, errored: true, output: "connection refused" };
    return task.program.healthy ? { ok: true, output: "" } : { ok: false, output: "statuscode: 500" };
  };
}
