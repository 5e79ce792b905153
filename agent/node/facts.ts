import { readFileSync, statfsSync } from "node:fs";
import { hostname, networkInterfaces, release } from "node:os";
import type {
  CoreV1ContainerImage,
  CoreV1NodeAddress,
  CoreV1NodeCondition,
  CoreV1NodeStatus,
  CoreV1NodeSystemInfo,
} from "../../worker/kinds/generated/types.ts";
import { timestamp } from "../../worker/lib/effects.ts";
import { fullName } from "../images/reference.ts";
import type { InspectedImage } from "../runtime.ts";
import { VERSION } from "../version.ts";
import { allocatable, capacity } from "./capacity.ts";
import { architecture } from "./pause-image.ts";

export const KUBERNETES_VERSION = "v1.35.4";

/** Names of interfaces that belong to containers, bridges and tunnels, not to a network that the machine is on. */
const inner = /^(lo|veth|br-|docker|cni|sk-|nerdctl|virbr|flannel|wg|tun|tap)/;
const MOST_IMAGES = 50;
const LEAST_MEMORY = 100 * 1024 * 1024;
const LEAST_DISK = 0.1;
const LEAST_INODES = 0.05;
const LEAST_PIDS = 0.05;

export type FactSources = {
  /** The node's name, which is its host name to others. */
  name: string;
  /** The machine's address on the network that the nodes share, when the user chose it. */
  address?: string;
  /** Lies on the disk that containers use. */
  folder: string;
  containerdVersion: string;
  images: readonly InspectedImage[];
  now: number;
  /** As last told, for times of transition. */
  conditions: readonly CoreV1NodeCondition[];
};

/** What the agent says of its machine. Readiness is not said here: the control plane sees it by the socket. */
export function nodeStatus(sources: FactSources): CoreV1NodeStatus {
  return {
    capacity: capacity(sources.folder),
    allocatable: allocatable(sources.folder),
    addresses: addresses(sources.name, sources.address),
    nodeInfo: systemInfo(sources.containerdVersion),
    images: images(sources.images),
    conditions: conditions(sources),
  };
}

const read = (path: string) => {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
};

function addresses(name: string, chosen: string | undefined): CoreV1NodeAddress[] {
  const address = chosen ?? mainAddress();
  return [...(address ? [{ type: "InternalIP", address }] : []), { type: "Hostname", address: name || hostname() }];
}

/** That of the interface which leads out, else of the first that is on any network. */
export function mainAddress(): string | undefined {
  const usable = Object.entries(networkInterfaces()).flatMap(([device, list]) =>
    (list ?? []).flatMap((a) => (a.family === "IPv4" && !a.internal ? [{ device, address: a.address }] : [])),
  );
  const out = usable.find(({ device }) => device === defaultDevice());
  return (out ?? usable.find(({ device }) => !inner.test(device)))?.address;
}

/** The route to 0.0.0.0; see proc(5), /proc/net/route. */
function defaultDevice(): string | undefined {
  const routes = read("/proc/net/route").split("\n").slice(1);
  return routes.map((line) => line.split("\t")).find(([, destination]) => destination === "00000000")?.[0];
}

function systemInfo(containerdVersion: string): CoreV1NodeSystemInfo {
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(read("/etc/os-release"))?.[1] ?? "Linux";
  const machineID = read("/etc/machine-id") || read("/var/lib/dbus/machine-id");
  return {
    architecture,
    bootID: read("/proc/sys/kernel/random/boot_id"),
    containerRuntimeVersion: `containerd://${containerdVersion}`,
    kernelVersion: release(),
    kubeProxyVersion: "",
    kubeletVersion: `${KUBERNETES_VERSION}+skerry.${VERSION}`,
    machineID,
    operatingSystem: "linux",
    osImage: system,
    systemUUID: read("/sys/class/dmi/id/product_uuid") || machineID,
  };
}

/** The largest ones, as a Node has a limited size. */
function images(list: readonly InspectedImage[]): CoreV1ContainerImage[] {
  return list
    .map((image) => ({
      names: [...new Set([...(image.RepoDigests ?? []), ...(image.RepoTags ?? [])].map(fullName))],
      sizeBytes: image.Size ?? 0,
    }))
    .filter(({ names }) => names.length > 0)
    .sort((a, b) => b.sizeBytes - a.sizeBytes || (a.names[0] ?? "").localeCompare(b.names[0] ?? ""))
    .slice(0, MOST_IMAGES);
}

type Pressure = { type: string; pressed: boolean; reason: [string, string]; message: [string, string] };

/** https://kubernetes.io/docs/reference/node/node-status/#condition */
function conditions({ folder, now, conditions: before }: FactSources): CoreV1NodeCondition[] {
  const disk = statfsSync(folder);
  const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(read("/proc/meminfo"))?.[1] ?? 0) * 1024;
  const [, tasks = "0"] = (read("/proc/loadavg").split(" ")[3] ?? "").split("/");
  const mostPids = Number(read("/proc/sys/kernel/pid_max")) || 32_768;
  const fullDisk = disk.bavail < disk.blocks * LEAST_DISK || (disk.files > 0 && disk.ffree < disk.files * LEAST_INODES);
  const pressures: Pressure[] = [
    {
      type: "MemoryPressure",
      pressed: available < LEAST_MEMORY,
      reason: ["KubeletHasSufficientMemory", "KubeletHasInsufficientMemory"],
      message: ["kubelet has sufficient memory available", "kubelet has insufficient memory available"],
    },
    {
      type: "DiskPressure",
      pressed: fullDisk,
      reason: ["KubeletHasNoDiskPressure", "KubeletHasDiskPressure"],
      message: ["kubelet has no disk pressure", "kubelet has disk pressure"],
    },
    {
      type: "PIDPressure",
      pressed: mostPids - Number(tasks) < mostPids * LEAST_PIDS,
      reason: ["KubeletHasSufficientPID", "KubeletHasInsufficientPID"],
      message: ["kubelet has sufficient PID available", "kubelet has insufficient PID available"],
    },
  ];
  return pressures.map(({ type, pressed, reason, message }) => {
    const status = pressed ? "True" : "False";
    const old = before.find((c) => c.type === type);
    return {
      type,
      status,
      lastHeartbeatTime: timestamp(now),
      lastTransitionTime: (old?.status === status && old.lastTransitionTime) || timestamp(now),
      reason: reason[pressed ? 1 : 0],
      message: message[pressed ? 1 : 0],
    };
  });
}
