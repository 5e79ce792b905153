import { KUBERNETES_VERSION } from "../../../agent/node/facts.ts";
import type { InspectedImage } from "../../../agent/runtime.ts";
import type { CoreV1NodeCondition, CoreV1NodeStatus } from "../../../worker/kinds/generated/types.ts";
import { timestamp } from "../../../worker/lib/effects.ts";

type Given = {
  name: string;
  boot: number;
  images: readonly InspectedImage[];
  conditions: readonly CoreV1NodeCondition[];
  now: number;
};

const CAPACITY = { cpu: "4", memory: "8Gi", "ephemeral-storage": "100Gi", pods: "110" };

/** A machine like any other, with an address of its own. */
export function facts({ name, boot, images, conditions, now }: Given): CoreV1NodeStatus {
  const told = conditions.find(({ type }) => type === "MemoryPressure");
  return {
    capacity: CAPACITY,
    allocatable: CAPACITY,
    addresses: [
      { type: "InternalIP", address: addressOf(name) },
      { type: "Hostname", address: name },
    ],
    nodeInfo: {
      architecture: "amd64",
      bootID: `${name}-${boot}`,
      containerRuntimeVersion: "containerd://1.6.20",
      kernelVersion: "6.1.0",
      kubeProxyVersion: "",
      kubeletVersion: KUBERNETES_VERSION,
      machineID: name,
      operatingSystem: "linux",
      osImage: "Model",
      systemUUID: name,
    },
    images: images.map(({ RepoTags, Size }) => ({ names: RepoTags ?? [], sizeBytes: Size ?? 0 })),
    conditions: [
      {
        type: "MemoryPressure",
        status: "False",
        lastHeartbeatTime: timestamp(now),
        lastTransitionTime: told?.lastTransitionTime ?? timestamp(now),
        reason: "KubeletHasSufficientMemory",
        message: "kubelet has sufficient memory available",
      },
    ],
  };
}

/** In 198.18.0.0/15, which RFC 2544 keeps for tests. */
function addressOf(name: string): string {
  const hash = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  return `198.${18 + ((hash >>> 16) & 1)}.${(hash >>> 8) & 255}.${1 + (hash % 254)}`;
}
