import { totalmem } from "node:os";
import type { Effects } from "../../worker/lib/effects.ts";
import { CsiNode } from "../csi/csi-node.ts";
import { Growth } from "../csi/growth.ts";
import { Plugins } from "../csi/plugins.ts";
import { kubeletRoot } from "../csi/root.ts";
import { CsiVolumes } from "../csi/volumes.ts";
import type { Timers } from "../effects.ts";
import type { ImageSettings } from "../images/images.ts";
import { imageSettings } from "../images/settings.ts";
import type { KeptLogs } from "../kept-logs/kept-logs.ts";
import type { Probed } from "../kubelet/observations.ts";
import { endLeftovers } from "../leftovers.ts";
import type { Nerdctl } from "../nerdctl.ts";
import { addressOf } from "../nerdctl-store.ts";
import type { Command } from "../network/commands.ts";
import { allocatable, podsLimits } from "../node/capacity.ts";
import { loadPauseImage } from "../node/pause-image.ts";
import { type NodeSettings, settingsOf } from "../node/settings.ts";
import type { Writability } from "../node/writability.ts";
import { run } from "../process.ts";
import type { ContainerOptions, Inspected, Urgency } from "../runtime.ts";
import { execOnce } from "../streams/exec-once.ts";
import { endTerminals } from "../streams/exec-terminal.ts";
import { containerdImages } from "../volumes/image-mounts.ts";
import { type PodVolumes, Volumes } from "../volumes/manager.ts";
import type { Bucket, Source } from "../volumes/persistent/copying.ts";
import { sizesIn } from "../volumes/persistent/project-quota.ts";
import {
  machineFolders,
  type OwnVolumes,
  ProvisionedVolumes,
  type VolumeData,
  volumesPath,
} from "../volumes/persistent/provisioned.ts";
import type { Api } from "../volumes/tokens.ts";
import { type Cgroups, enforceNode, machineCgroups, runtimeLimits } from "./cgroups.ts";
import type { PodState } from "./context.ts";
import type { FieldContext } from "./fields.ts";
import { type PodFiles, podFiles } from "./files.ts";
import type { Act } from "./handler.ts";
import { act } from "./handlers.ts";
import { Keeper, type KeeperParts, type Keeping } from "./keeping.ts";
import { machineSecurity, type NodeSecurity } from "./node-security.ts";
import { machineProcesses, type Processes } from "./processes.ts";
import type { RuntimeLimits } from "./resources.ts";

/** What pods need of their machine beside the runtime and the network. A simulator has its own. */
export interface Host {
  readonly memoryBytes: number;
  readonly runtimeLimits: RuntimeLimits;
  allocatable(): FieldContext["allocatable"];
  readonly processes: Processes;
  readonly cgroups: Cgroups;
  readonly files: PodFiles;
  readonly volumes: PodVolumes;
  /** PersistentVolumes on the node's own disk, where it may have such. */
  readonly ownVolumes?: OwnVolumes;
  readonly volumeData?: VolumeData;
  /** Volumes of drivers that are attached to the node, where it may have such. */
  readonly attached?: { inUse(): readonly string[]; onChange(): Promise<boolean> };
  /** What lets volumes of drivers grow. */
  readonly growth?: Pick<Growth, "sync" | "onGrown" | "onFailure">;
  /** What sends logs to where they are kept; a model has none. */
  readonly keptLogs?: Pick<KeptLogs, "start" | "stop" | "removing">;
  readonly images: ImageSettings;
  readonly security: NodeSecurity;
  /** Does what a probe or lifecycle hook says. */
  readonly act: Act;
  /** The longest wait of a container that fails again and again, where it is not the usual one. */
  readonly mostBackoffMs?: number;
  /** Once, before any pod. */
  prepare(): Promise<void>;
  /** Creates and starts a container of a pod, whose input and output are held whatever becomes of the agent. */
  runKept(options: ContainerOptions, keeping: Keeping, urgency: Urgency): Promise<Inspected>;
  /** Where a running container that `runKept` started can be attached to; undefined for others. */
  attachSocket(containerId: string): string | undefined;
  /** Told of each probe; a model counts none. */
  probed?(pod: Pick<PodState, "memory">, probe: Probed): void;
  /** Completes the log of a container that has ended; a model's always is. */
  logged?(containerId: string): Promise<void>;
}

export type HostParts = {
  home: string;
  /** The node's name. */
  node?: string;
  nerdctl: Nerdctl;
  api: Api;
  effects: Effects & Timers;
  /** Hears of what pods have to remember. */
  writability?: Writability;
  /** What `findRecursiveReadOnly` found. */
  recursiveReadOnly?: boolean;
  nodeSettings?: NodeSettings;
  keptLogs?: Host["keptLogs"];
  /** By these the data of volumes moves. */
  source?: Source;
  bucket?: Bucket;
  /** Runs a program of the machine. */
  command?: Command;
  /** See `KeeperParts`. */
  starting?: KeeperParts["starting"];
  log?(message: string): void;
};

/** This very machine. */
export function machineHost(parts: HostParts): Host {
  const { home, nerdctl, api, effects, writability, recursiveReadOnly = false, nodeSettings = settingsOf() } = parts;
  const { log = () => {} } = parts;
  const images = containerdImages(addressOf(nerdctl.toml), nerdctl.namespace);
  const sizes = sizesIn(volumesPath(home));
  if (typeof sizes === "string") log(`volumes are not held to their sizes: ${sizes}`);
  const ownVolumes = new ProvisionedVolumes({
    home,
    node: parts.node ?? "",
    api,
    timers: effects,
    folders: machineFolders(home, typeof sizes === "string" ? undefined : sizes),
    unbounded: typeof sizes === "string" ? sizes : undefined,
    ...(parts.source && { source: parts.source }),
    ...(parts.bucket && { bucket: parts.bucket }),
  });
  const { plugins, csi, growth } = driversOf(parts);
  const makeVolume = ownVolumes.make.bind(ownVolumes);
  const volumes = new Volumes({ home, api, now: effects.now, images, makeVolume, recursiveReadOnly, csi });
  const { command, starting } = parts;
  const keeper = new Keeper({ home, nerdctl, limits: nodeSettings.logs, timers: effects, command, starting });
  const exec = execOnce(nerdctl, effects);
  return {
    memoryBytes: totalmem(),
    allocatable: () => allocatable(home, nodeSettings),
    mostBackoffMs: nodeSettings.mostBackoffMs,
    processes: machineProcesses(effects),
    runtimeLimits: runtimeLimits(),
    cgroups: machineCgroups({ home, podPids: nodeSettings.podPids }),
    files: podFiles(home, writability),
    volumes,
    ownVolumes,
    volumeData: ownVolumes,
    ...(parts.keptLogs && { keptLogs: parts.keptLogs }),
    attached: csi,
    growth,
    security: machineSecurity({ home, api, settings: nodeSettings.security, command }),
    images: imageSettings(home, nodeSettings.pulls, { run, now: effects.now, log }),
    act: (action, target, timeoutMs, purpose) => act(action, target, { exec, timers: effects, purpose }, timeoutMs),
    async prepare() {
      await endLeftovers(nerdctl.toml, effects);
      nerdctl.forgetPulls();
      enforceNode(home, podsLimits(nodeSettings));
      await endTerminals(nerdctl);
      await volumes.start();
      plugins.start();
      await keeper.prepare();
      await loadPauseImage(nerdctl);
    },
    runKept: (options, keeping, urgency) => keeper.run(options, keeping, urgency),
    attachSocket: (containerId) => keeper.socketOf(containerId),
    logged: (containerId) => keeper.logged(containerId),
  };
}

/** The machine's CSI drivers, and their volumes. */
function driversOf({ home, node = "", api, effects, log = () => {} }: HostParts) {
  const root = kubeletRoot(home);
  const csiNode = new CsiNode(node, api);
  const plugins = new Plugins({
    root,
    timers: effects,
    registered: (driver, info) => csiNode.has(driver.name, info),
    gone: (name) => csiNode.hasNot(name),
    log,
  });
  const driver = (name: string) => plugins.driver(name);
  const csi = new CsiVolumes({ root, home, node, api, timers: effects, driver, log });
  const growth = new Growth({ node, api, timers: effects, expand: (volume, bytes) => csi.expand(volume, bytes), log });
  return { plugins, csi, growth };
}
