import type { Verb } from "../request.ts";
import { bind } from "./binding.ts";
import type { Handler } from "./core.ts";
import { evict } from "./eviction.ts";
import { patch } from "./patch.ts";
import { get } from "./read.ts";
import { getScale, patchScale, updateScale } from "./scale.ts";
import { update } from "./update.ts";

type Table = Readonly<Partial<Record<Verb, Handler>>>;

/** Endpoints that read and write a part of the object itself; its kind says which part. */
const part: Table = { get, update, patch };

export const subresources: Readonly<Record<string, Table>> = {
  approval: part,
  binding: { create: bind },
  ephemeralcontainers: part,
  eviction: { create: evict },
  finalize: part,
  resize: part,
  scale: { get: getScale, update: updateScale, patch: patchScale },
  status: part,
};

/** Resources that are only there to be created, and are not stored. */
export const virtual: Readonly<Record<string, Table>> = { bindings: { create: bind } };
