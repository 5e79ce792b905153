import { byteLength } from "../../lib/bytes.ts";
import { configKeyProblems } from "../../lib/names.ts";
import { forbiddenField, invalidValue, tooLong } from "../../lib/status.ts";
import type { CoreV1ConfigMap } from "../generated/types.ts";
import { read, same } from "../paths.ts";
import { entries, invalidFor, type Problems } from "./fields.ts";

/** What a ConfigMap or Secret may hold in all. */
export const MAX_CONFIG_BYTES = 1024 * 1024;

/** Bytes that base64 text stands for. */
export const decodedLength = (text: string): number => Math.floor((text.replace(/=+$/, "").length * 3) / 4);

export function* validateConfigMap(map: CoreV1ConfigMap): Problems {
  let bytes = 0;
  for (const [key, value] of entries(map.data)) {
    yield* invalidFor(`data[${key}]`, key, configKeyProblems(key));
    if (map.binaryData && Object.hasOwn(map.binaryData, key))
      yield invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData");
    bytes += byteLength(value);
  }
  for (const [key, value] of entries(map.binaryData)) {
    yield* invalidFor(`binaryData[${key}]`, key, configKeyProblems(key));
    bytes += decodedLength(value);
  }
  if (bytes > MAX_CONFIG_BYTES) yield tooLong("[]", MAX_CONFIG_BYTES);
}

/** Once `immutable` is true, it and the contents stay as they are. */
export function* validateFrozen<T extends { immutable?: boolean }>(
  object: T,
  old: T,
  contents: readonly string[],
): Problems {
  if (!old.immutable) return;
  if (!object.immutable) yield forbiddenField("immutable", "field is immutable when `immutable` is set");
  for (const field of contents)
    if (!same(read(object, field) ?? {}, read(old, field) ?? {}))
      yield forbiddenField(field, "field is immutable when `immutable` is set");
}
