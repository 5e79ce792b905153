import { podClaims } from "../../worker/kinds/core/pod-claims.ts";
import { podReferences } from "../../worker/kinds/core/pod-references.ts";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { uniqueName } from "../../worker/lib/volume-attachments.ts";
import type { Desired } from "../desired.ts";

/** Changes when anything changes that the pod's volumes or environment are made from. */
export function referencesKey(pod: CoreV1Pod, desired: Desired): string {
  const { configmaps, secrets } = podReferences(pod);
  const versionOf = (name: string, found: { metadata?: { uid?: string; resourceVersion?: string } } | undefined) =>
    `${name}@${found?.metadata?.uid ?? ""}/${found?.metadata?.resourceVersion ?? ""}`;
  const { namespace, labels, annotations } = pod.metadata;
  const claims = podClaims(pod).map(({ claim }) => [claim, desired.claims?.get(`${namespace}/${claim}`)] as const);
  const volumes = claims.flatMap(([, claim]) => claim?.spec?.volumeName ?? []);
  return JSON.stringify([
    [...configmaps].map((name) => versionOf(name, desired.configMaps.get(`${namespace}/${name}`))),
    [...secrets].map((name) => versionOf(name, desired.secrets.get(`${namespace}/${name}`))),
    claims.map(([name, claim]) => versionOf(name, claim)),
    volumes.map((name) => versionOf(name, desired.persistentVolumes?.get(`/${name}`))),
    volumes.filter((name) => isAttached(desired, name)),
    labels,
    annotations,
    pod.spec.containers.map(({ resources }) => resources),
  ]);
}

function isAttached({ attached, persistentVolumes }: Desired, name: string): boolean {
  const csi = persistentVolumes?.get(`/${name}`)?.spec?.csi;
  return csi !== undefined && attached?.has(uniqueName({ driver: csi.driver, handle: csi.volumeHandle })) === true;
}
