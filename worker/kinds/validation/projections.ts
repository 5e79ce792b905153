import { forbiddenField, invalidValue, required } from "../../lib/status.ts";
import type { CoreV1DownwardAPIVolumeFile, CoreV1KeyToPath, CoreV1VolumeProjection } from "../generated/types.ts";
import { VOLUME_FIELDS, validateFieldRef, validateResourceRef } from "./env.ts";
import { type Problems, validateDescendingPath } from "./fields.ts";

/** Files made of objects: https://kubernetes.io/docs/concepts/storage/projected-volumes/ */
export function* validateMode(mode: number | undefined, field: string): Problems {
  if (mode !== undefined && (mode < 0 || mode > 0o777))
    yield invalidValue(field, mode, "must be a number between 0 and 0777 (octal), both inclusive");
}

export function* validateItems(items: readonly CoreV1KeyToPath[] | undefined, field: string): Problems {
  for (const [index, item] of (items ?? []).entries()) yield* validateItem(item, `${field}[${index}]`);
}

function* validateItem({ key, path, mode }: CoreV1KeyToPath, field: string): Problems {
  if (!key) yield required(`${field}.key`);
  if (!path) yield required(`${field}.path`);
  yield* validateFilePath(path ?? "", `${field}.path`);
  yield* validateMode(mode, `${field}.mode`);
}

function* validateFilePath(path: string, field: string): Problems {
  yield* validateDescendingPath(path, field);
  if (path.startsWith("..") && !path.startsWith("../")) yield invalidValue(field, path, "must not start with '..'");
}

export function* validateDownwardItem(item: CoreV1DownwardAPIVolumeFile, field: string): Problems {
  const { path, fieldRef, resourceFieldRef, mode } = item;
  if (!path) yield required(`${field}.path`);
  yield* validateFilePath(path ?? "", `${field}.path`);
  if (fieldRef) {
    yield* validateFieldRef(fieldRef, VOLUME_FIELDS, `${field}.fieldRef`);
    if (resourceFieldRef)
      yield invalidValue(field, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
  } else if (resourceFieldRef) yield* validateResourceRef(resourceFieldRef, true, `${field}.resourceFieldRef`);
  else yield required(field, "one of fieldRef and resourceFieldRef is required");
  yield* validateMode(mode, `${field}.mode`);
}

const MIN_TOKEN_SECONDS = 600;
const MAX_TOKEN_SECONDS = 2 ** 32;

export function* validateProjections(projections: readonly CoreV1VolumeProjection[], field: string): Problems {
  const paths = new Set<string>();
  /** The same file twice; `shown` is what the message names. */
  function* taken(path: string | undefined, shown: string | undefined): Problems {
    if (path && paths.has(path)) yield invalidValue(field, shown ?? "", "conflicting duplicate paths");
    if (path) paths.add(path);
  }
  for (const [index, source] of projections.entries()) {
    const at = `${field}.sources[${index}]`;
    for (const name of ["secret", "configMap"] as const) {
      const named = source[name];
      if (!named) continue;
      if (!named.name) yield required(`${at}.${name}.name`);
      for (const [itemIndex, item] of (named.items ?? []).entries()) {
        yield* validateItem(item, `${at}.${name}.items[${itemIndex}]`);
        yield* taken(item.path, named.name);
      }
    }
    for (const item of source.downwardAPI?.items ?? []) {
      yield* validateDownwardItem(item, `${at}.downwardAPI`);
      yield* taken(item.path, item.path);
    }
    yield* validateToken(source.serviceAccountToken, at, field);
    const kinds = [source.secret, source.configMap, source.downwardAPI, source.serviceAccountToken].filter(Boolean);
    if (kinds.length > 1) yield forbiddenField(at, "may not specify more than 1 volume type per source");
  }
}

function* validateToken(token: CoreV1VolumeProjection["serviceAccountToken"], at: string, field: string): Problems {
  if (!token) return;
  const seconds = token.expirationSeconds ?? 0;
  const secondsAt = `${at}.serviceAccountToken.expirationSeconds`;
  if (seconds < MIN_TOKEN_SECONDS)
    yield invalidValue(secondsAt, seconds, "may not specify a duration less than 10 minutes");
  if (seconds > MAX_TOKEN_SECONDS)
    yield invalidValue(secondsAt, seconds, "may not specify a duration larger than 2^32 seconds");
  // The source is missing in these paths upstream, and clients see them so.
  if (!token.path) yield required(`${field}.path`);
  else yield* validateFilePath(token.path, `${field}.path`);
}
