import type { Pod } from "../kinds/core/pod.ts";
import { podClaims } from "../kinds/core/pod-claims.ts";
import { podRequests } from "../kinds/core/pod-resources.ts";
import type { CoreV1PodAffinityTerm, CoreV1WeightedPodAffinityTerm } from "../kinds/generated/types.ts";
import { milliValue, type Resources, wholeValue } from "../lib/quantity.ts";

/** Amounts by resource name: cpu in millicores, all else in whole units (bytes, pods, devices). */
export type Amounts = ReadonlyMap<string, number>;
export type HostPort = { protocol: string; address: string; port: number };

/** What scheduling asks about a pod that has a place; pods that are alike share it. */
export type Traits = {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The uid of its controller, or "". */
  readonly owner: string;
  readonly priority: number;
  /** Being deleted. */
  readonly leaving: boolean;
  readonly requests: Amounts;
  readonly hostPorts: readonly HostPort[];
  /** Claims in its namespace that it names. */
  readonly claims: readonly string[];
  readonly needs: readonly CoreV1PodAffinityTerm[];
  readonly shuns: readonly CoreV1PodAffinityTerm[];
  readonly prefers: readonly CoreV1WeightedPodAffinityTerm[];
  readonly avoids: readonly CoreV1WeightedPodAffinityTerm[];
};

/** A pod that has a place. There may be 150,000, so that it is small. */
export type Placed = { readonly uid: string; readonly traits: Traits };

/** A pod that wants one. */
export type PodInfo = Traits & Placed & { readonly pod: Readonly<Pod> };

export function amounts(resources: Resources): Map<string, number> {
  return new Map(
    Object.entries(resources).map(([name, quantity]) => [
      name,
      name === "cpu" ? milliValue(quantity) : wholeValue(quantity),
    ]),
  );
}

export function podInfo(pod: Readonly<Pod>): PodInfo {
  const traits = traitsOf(pod);
  return { ...traits, uid: pod.metadata.uid ?? "", traits, pod };
}

export function traitsOf(pod: Readonly<Pod>): Traits {
  const { metadata, spec } = pod;
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  return {
    namespace: metadata.namespace ?? "",
    labels: metadata.labels ?? {},
    owner: metadata.ownerReferences?.find((owner) => owner.controller)?.uid ?? "",
    priority: spec.priority ?? 0,
    leaving: metadata.deletionTimestamp !== undefined,
    requests: amounts(podRequests(pod)),
    hostPorts: hostPorts(pod),
    claims: podClaims(pod).flatMap(({ claim, isEphemeral }) => (isEphemeral ? [] : claim)),
    needs: podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [],
    shuns: podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [],
    prefers: podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [],
    avoids: podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [],
  };
}

export const isAffine = ({ needs, shuns, prefers, avoids }: Traits): boolean =>
  needs.length + shuns.length + prefers.length + avoids.length > 0;

function hostPorts({ spec }: Readonly<Pod>): HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter((container) => container.restartPolicy === "Always");
  return [...spec.containers, ...sidecars].flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => port.hostPort)
      .map((port) => ({
        protocol: port.protocol ?? "TCP",
        address: port.hostIP || "0.0.0.0",
        port: port.hostPort ?? 0,
      })),
  );
}

/** Two host ports of one node get in each other's way; 0.0.0.0 is every address. */
export function portsClash(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.address === b.address || a.address === "0.0.0.0" || b.address === "0.0.0.0";
}
