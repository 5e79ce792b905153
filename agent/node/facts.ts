import { readFileSync } from "node:fs";
import { hostname, networkInterfaces, release } from "node:os";
import type {
  CoreV1ContainerImage,
  CoreV1NodeAddress,
  CoreV1NodeCondition,
  CoreV1NodeStatus,
  CoreV1NodeSystemInfo,
} from "../../worker/kinds/generated/types.ts";
import { canonicalIp } from "../../worker/kinds/validation/ip.ts";
import { byText } from "../by-text.ts";
import { fullName } from "../images/reference.ts";
import type { InspectedImage } from "../runtime.ts";
import { VERSION } from "../version.ts";
import { architecture } from "./architecture.ts";
import { allocatable, capacity } from "./capacity.ts";
import { pressureConditions } from "./conditions.ts";
import { swapBytes } from "./observe.ts";
import { handlerNames } from "./oci-runtime.ts";
import type { NodeSettings } from "./settings.ts";
import type { Pressure } from "./thresholds.ts";

export const KUBERNETES_VERSION = "v1.35.4";

/** Names of interfaces that belong to containers, bridges and tunnels, not to a network that the machine is on. */
const inner = /^(lo|veth|br-|docker|cni|s[klw]-|nerdctl|virbr|flannel|wg|tun|tap)/;
const MOST_IMAGES = 50;
/** Of one image. */
const MOST_NAMES = 5;

export type FactSources = {
  /** The node's name, which is its host name to others. */
  name: string;
  /** The machine's address on the network that the nodes share, when the user chose it. */
  address?: string;
  /** Pods have IPv6 addresses too. */
  dualStack?: boolean;
  /** Lies on the disk that containers use. */
  folder: string;
  containerdVersion: string;
  images: readonly InspectedImage[];
  now: number;
  /** As last told, for times of transition. */
  conditions: readonly CoreV1NodeCondition[];
  pressures: readonly Pressure[];
  settings: NodeSettings;
  /** What mounts inside a mount are made read-only with it. */
  recursiveReadOnly: boolean;
};

/** What the agent says of its machine. Readiness is not said here: the control plane sees it by the socket. */
export function nodeStatus(sources: FactSources): CoreV1NodeStatus {
  return {
    capacity: capacity(sources.folder, sources.settings),
    allocatable: allocatable(sources.folder, sources.settings),
    addresses: addresses(sources),
    nodeInfo: systemInfo(sources.containerdVersion),
    images: images(sources.images),
    conditions: pressureConditions(sources.pressures, sources.conditions, sources.now),
    features: { supplementalGroupsPolicy: true },
    runtimeHandlers: handlerNames(sources.settings.security.runtimeHandlers).map((name) => ({
      name,
      features: { recursiveReadOnlyMounts: sources.recursiveReadOnly, userNamespaces: false },
    })),
  };
}

const read = (path: string) => {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
};

function addresses({ name, address: chosen, dualStack }: FactSources): CoreV1NodeAddress[] {
  const address = chosen ?? mainAddress();
  const second = dualStack && address ? secondAddress(address) : undefined;
  return [
    ...[address, second].flatMap((one) => (one ? { type: "InternalIP", address: one } : [])),
    { type: "Hostname", address: name || hostname() },
  ];
}

/** In IPv6, on the same interface; undefined where that has none that stays but for its own link. */
function secondAddress(first: string): string | undefined {
  const device = Object.values(networkInterfaces()).find((list) => list?.some(({ address }) => address === first));
  const fleeting = fleetingAddresses(read("/proc/net/if_inet6"));
  return device?.find(({ family, scopeid, address }) => family === "IPv6" && !scopeid && !fleeting.has(address))
    ?.address;
}

/** Of IFA_F_TEMPORARY (RFC 8981), _OPTIMISTIC, _DADFAILED, _DEPRECATED and _TENTATIVE in the kernel's if_addr.h. */
const FLEETING = 0x01 | 0x04 | 0x08 | 0x20 | 0x40;

/** Those that a machine has for a while, or not quite yet, by what /proc/net/if_inet6 says. */
export function fleetingAddresses(table: string): Set<string> {
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
  return new Set(
    rows.flatMap(([address = "", , , , flags = ""]) =>
      Number.parseInt(flags, 16) & FLEETING ? (canonicalIp(address.replace(/.{4}(?=.)/g, "$&:")) ?? []) : [],
    ),
  );
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
  const swap = swapBytes();
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
    ...(swap ? { swap: { capacity: swap } } : {}),
  };
}

/** The largest ones, as a Node has a limited size. */
function images(list: readonly InspectedImage[]): CoreV1ContainerImage[] {
  return list
    .map(({ RepoDigests = [], RepoTags = [], Size = 0 }) => {
      const tags = RepoTags.filter((tag) => !tag.endsWith(":")); // which nerdctl makes of names with a digest
      return { names: [...new Set([...RepoDigests, ...tags].map(fullName))].slice(0, MOST_NAMES), sizeBytes: Size };
    })
    .filter(({ names }) => names.length > 0)
    .sort((a, b) => b.sizeBytes - a.sizeBytes || byText(a.names[0] ?? "", b.names[0] ?? ""))
    .slice(0, MOST_IMAGES);
}
