import { expect, test } from "vitest";
import type {
  CoreV1PersistentVolume,
  CoreV1PersistentVolumeClaim,
  CoreV1Volume,
} from "../../../worker/kinds/generated/types.ts";
import { somePod } from "../../pods/testing.ts";
import { boundVolume } from "./claims.ts";
import { nfsArguments } from "./nfs.ts";

type Given = { claim?: object; volume?: object; use?: Omit<CoreV1Volume, "name">; devices?: boolean };

/** What a pod with a claim `data` gets, or why it gets nothing. */
function given({ claim, volume, use, devices = false }: Given): string {
  const pod = somePod();
  const { name = "", namespace, uid } = pod.metadata;
  const one = { name: "v", ...(use ?? { persistentVolumeClaim: { claimName: "data" } }) };
  pod.spec.volumes = [one];
  for (const container of pod.spec.containers)
    Object.assign(
      container,
      devices
        ? { volumeDevices: [{ name: "v", devicePath: "/d" }] }
        : { volumeMounts: [{ name: "v", mountPath: "/d" }] },
    );
  const claimName = use ? `${name}-v` : "data";
  const metadata = { name: claimName, namespace, uid: "1", ownerReferences: use ? [] : undefined };
  const bound = { metadata, spec: { volumeName: "pv" }, status: { phase: "Bound" }, ...claim };
  const claims = claim && new Map([[`${namespace}/${claimName}`, bound as CoreV1PersistentVolumeClaim]]);
  const found = { metadata: { name: "pv" }, spec: { claimRef: { uid: "1" }, ...volume } };
  const persistentVolumes = volume && new Map([["/pv", found as CoreV1PersistentVolume]]);
  try {
    const desired = { configMaps: new Map(), secrets: new Map(), claims, persistentVolumes };
    const got = boundVolume(one, { pod, desired });
    return `${got.volume.metadata?.name}${got.readOnly ? " read-only" : ""}`;
  } catch (error) {
    return (error as Error).message.replaceAll(`${namespace}/${name}`, "NS/POD").replaceAll(uid ?? "", "UID");
  }
}

const ephemeral = { ephemeral: { volumeClaimTemplate: { spec: {} } } };

test.each<[string, Given]>([
  ["pv", { claim: {}, volume: {} }],
  [
    "pv read-only",
    {
      claim: {},
      volume: {},
      use: { persistentVolumeClaim: { claimName: `${somePod().metadata.name}-v`, readOnly: true } },
    },
  ],
  [
    'error processing PVC default/data: failed to fetch PVC from API server: persistentvolumeclaims "data" not found',
    { volume: {} },
  ],
  ["error processing PVC default/data: PVC is not bound", { claim: { status: { phase: "Pending" } } }],
  ["error processing PVC default/data: PVC has empty pvc.Spec.VolumeName", { claim: { spec: {} } }],
  [
    "error processing PVC default/data: PVC is being deleted",
    { claim: { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } } },
  ],
  [
    'error processing PVC default/data: failed to fetch PV pv from API server: persistentvolumes "pv" not found',
    { claim: {} },
  ],
  [
    "error processing PVC default/data: found PV object pv but it has a nil pv.Spec.ClaimRef indicating it is not yet " +
      "bound to the claim",
    { claim: {}, volume: { claimRef: undefined } },
  ],
  [
    "error processing PVC default/data: found PV object pv but its pv.Spec.ClaimRef.UID 2 does not point to claim.UID 1",
    { claim: {}, volume: { claimRef: { uid: "2" } } },
  ],
  ["volume v has volumeMode Block, but is specified in volumeMounts", { claim: {}, volume: { volumeMode: "Block" } }],
  ["volume v has volumeMode Filesystem, but is specified in volumeDevices", { claim: {}, volume: {}, devices: true }],
  [`PVC NS/POD-v was not created for pod NS/POD (pod is not owner)`, { claim: {}, volume: {}, use: ephemeral }],
])("%s", (said, what) => {
  expect(given(what)).toBe(said);
});

test("mount(8) is told of an NFS export as by a kubelet", () => {
  const source = { server: "192.0.2.1", path: "/export" };
  const options = ["nfsvers=4.1", "hard"];
  expect(nfsArguments({ source, readOnly: true, options })).toEqual({
    what: "192.0.2.1:/export",
    options: ["hard", "nfsvers=4.1", "ro"],
  });
  expect(nfsArguments({ source: { ...source, server: "2001:db8::1" }, readOnly: false, options: [] })).toEqual({
    what: "[2001:db8::1]:/export",
    options: [],
  });
});
