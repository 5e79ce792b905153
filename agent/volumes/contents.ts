import type {
  CoreV1ConfigMapProjection,
  CoreV1DownwardAPIVolumeFile,
  CoreV1KeyToPath,
  CoreV1SecretProjection,
} from "../../worker/kinds/generated/types.ts";
import { containerNamed, fieldValue, resourceValue } from "../pods/fields.ts";
import type { VolumeFile } from "./atomic.ts";
import { aggregate } from "./problems.ts";
import { type VolumeContext, VolumeError } from "./volume.ts";

export type Contents = Map<string, VolumeFile>;

export const DEFAULT_MODE = 0o644;

export function configMapContents(source: CoreV1ConfigMapProjection, mode: number, context: VolumeContext): Contents {
  const found = context.desired.configMaps.get(`${context.pod.metadata.namespace}/${source.name}`);
  if (!found && !source.optional) throw new VolumeError(`configmap "${source.name}" not found`);
  const data = new Map<string, Uint8Array>([
    ...Object.entries(found?.data ?? {}).map(([key, text]): [string, Uint8Array] => [key, Buffer.from(text)]),
    ...decoded(found?.binaryData),
  ]);
  return select(data, source.items, mode, source.optional, "configmap references non-existent config key");
}

export function secretContents(source: CoreV1SecretProjection, mode: number, context: VolumeContext): Contents {
  const found = context.desired.secrets.get(`${context.pod.metadata.namespace}/${source.name}`);
  if (!found && !source.optional) throw new VolumeError(`secret "${source.name}" not found`);
  const data = new Map(decoded(found?.data));
  return select(data, source.items, mode, source.optional, "references non-existent secret key");
}

const decoded = (data: Record<string, string> | undefined) =>
  Object.entries(data ?? {}).map(([key, text]): [string, Uint8Array] => [key, Buffer.from(text, "base64")]);

/** All keys by their names, or only the items, under their paths. */
function select(
  data: ReadonlyMap<string, Uint8Array>,
  items: readonly CoreV1KeyToPath[] | undefined,
  mode: number,
  optional: boolean | undefined,
  problem: string,
): Contents {
  if (!items?.length) return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode }]));
  const chosen: Contents = new Map();
  for (const item of items) {
    const bytes = data.get(item.key);
    if (bytes) chosen.set(item.path, { data: bytes, mode: item.mode ?? mode });
    else if (!optional) throw new VolumeError(`${problem}: ${item.key}`);
  }
  return chosen;
}

export function downwardContents(
  items: readonly CoreV1DownwardAPIVolumeFile[] | undefined,
  mode: number,
  context: VolumeContext,
): Contents {
  const files: Contents = new Map();
  const problems: string[] = [];
  for (const item of items ?? [])
    try {
      const text = item.fieldRef ? fieldValue(item.fieldRef, context.fields) : resourceText(item, context);
      files.set(item.path, { data: Buffer.from(text), mode: item.mode ?? mode });
    } catch (error) {
      problems.push((error as Error).message);
    }
  if (problems.length) throw new VolumeError(aggregate(problems));
  return files;
}

function resourceText({ resourceFieldRef }: CoreV1DownwardAPIVolumeFile, { pod, fields }: VolumeContext): string {
  if (!resourceFieldRef) return "";
  const name = resourceFieldRef.containerName ?? "";
  const container = containerNamed(pod, name);
  if (!container) throw new VolumeError(`container ${name} not found`);
  return resourceValue(resourceFieldRef, container, fields.allocatable);
}
