/** Top-level `volumes`: claims, or what is there already. */
import type { Project } from "../load/load.ts";
import type { Value } from "../tree.ts";
import { type KubernetesObject, labelsOf, ownLabel, type Volume } from "./model.ts";
import { objectName } from "./values.ts";

/** Compose files do not say how large a volume is. */
const DEFAULT_SIZE = "10Gi";

/** What a pod names to have it; undefined, and told, for one that cannot be had. */
export function volumeSource(project: Project, name: string, used: Value): Omit<Volume, "name"> | undefined {
  const volume = project.volumes.get(name);
  if (!volume) return used.invalid(`${name} is not among the volumes`, `list it there: "volumes: {${name}: }"`);
  const options = volume.get("driver_opts");
  const driver = volume.get("driver")?.text() ?? "local";
  if (driver !== "local" && !volume.get("external")?.flag())
    return volume
      .get("driver")
      ?.refuse(`there is no driver ${driver}`, "make a claim, and say external: true and its name");
  const type = options?.get("type")?.text();
  if (type === undefined || (type === "none" && !options?.get("device")))
    return { persistentVolumeClaim: { claimName: claimName(name, volume) } };
  const device = options?.get("device")?.text() ?? "";
  const mountOptions = options?.get("o")?.text() ?? "";
  if (type === "tmpfs") return { emptyDir: { medium: "Memory" } };
  if (type === "none" && /\bbind\b/.test(mountOptions))
    return { hostPath: { path: device, type: "DirectoryOrCreate" } };
  const server = /(?:^|,)addr=([^,]+)/.exec(mountOptions)?.[1];
  if (/^nfs4?$/.test(type) && server)
    return {
      nfs: { server, path: device.replace(/^:/, ""), ...(/(^|,)ro(,|$)/.test(mountOptions) && { readOnly: true }) },
    };
  return options?.refuse(
    `a volume of type ${type} cannot be had so`,
    "make a claim of a CSI driver, and say external: true and its name",
  );
}

const isExternal = (volume: Value) => volume.get("external")?.flag() ?? false;
const claimName = (name: string, volume: Value) => objectName((volume.get("name")?.text() ?? name).replace(/^-+/, ""));

/** The claims that the project has of its own. */
export function claimsOf(project: Project): KubernetesObject[] {
  return [...project.volumes].flatMap(([name, volume]) => {
    if (!volume.isNull) volume.only(["name", "driver", "driver_opts", "external", "labels"]);
    if (isExternal(volume) || volume.get("driver_opts")?.get("type")) return [];
    const size = ownLabel(volume, "size")?.text() ?? volume.get("driver_opts")?.get("size")?.text() ?? DEFAULT_SIZE;
    const storageClassName = ownLabel(volume, "storage-class")?.text();
    const mode = ownLabel(volume, "access-mode")?.text() ?? "ReadWriteOnce";
    return [
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: claimName(name, volume), labels: labelsOf(project.name) },
        spec: {
          accessModes: [mode],
          ...(storageClassName && { storageClassName }),
          resources: { requests: { storage: size } },
        },
      },
    ];
  });
}
