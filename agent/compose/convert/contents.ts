/** Files beside the compose file, as ConfigMaps have them. */
import { basename, join } from "node:path";
import type { Disk } from "../load/load.ts";

export type Contents = {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
  /** Which key is which file of a folder. */
  items: { key: string; path: string }[];
};

/** What a ConfigMap holds at most is 1 MiB, names and all. */
const MAX_BYTES = 900_000;
const MAX_FILES = 500;

/** Of a file, or of a folder with all in it. Undefined for what is not there, or too much. */
export function contentsOf(disk: Disk, path: string): Contents | undefined {
  const files = disk.list(path) ? filesIn(disk, path, "") : [basename(path)];
  if (!files || files.length > MAX_FILES) return undefined;
  const folder = disk.list(path) ? path : join(path, "..");
  const data: Record<string, string> = {};
  const binaryData: Record<string, string> = {};
  const items: Contents["items"] = [];
  let size = 0;
  for (const file of files) {
    const bytes = disk.read(join(folder, file));
    if (!bytes) return undefined;
    size += bytes.byteLength;
    if (size > MAX_BYTES) return undefined;
    const key = keyFor(file, items);
    const text = asText(bytes);
    if (text === undefined) binaryData[key] = Buffer.from(bytes).toString("base64");
    else data[key] = text;
    items.push({ key, path: file });
  }
  const has = (record: Record<string, string>) => Object.keys(record).length > 0;
  return { items, ...(has(data) && { data }), ...(has(binaryData) && { binaryData }) };
}

function filesIn(disk: Disk, folder: string, prefix: string): string[] | undefined {
  const found: string[] = [];
  for (const name of (disk.list(folder) ?? []).toSorted()) {
    const inner = join(folder, name);
    const files = disk.list(inner) ? filesIn(disk, inner, `${prefix}${name}/`) : [`${prefix}${name}`];
    if (!files || found.push(...files) > MAX_FILES) return undefined;
  }
  return found;
}

/** A key has no slashes, and no more than letters, digits, dashes, dots and underscores. */
function keyFor(file: string, taken: Contents["items"]): string {
  const plain = file.replace(/[^-._a-zA-Z0-9]/g, "_").slice(0, 240);
  const isTaken = (key: string) => taken.some((item) => item.key === key);
  for (let count = 1; ; count++) {
    const key = count === 1 ? plain : `${plain}-${count}`;
    if (!isTaken(key)) return key;
  }
}

function asText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
