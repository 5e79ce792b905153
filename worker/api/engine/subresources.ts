import type { Verb } from "../request.ts";
import type { Handler } from "./core.ts";
import { patch } from "./patch.ts";
import { get } from "./read.ts";
import { update } from "./update.ts";

type Table = Readonly<Partial<Record<Verb, Handler>>>;

/** Endpoints that read and write a part of the object itself; its kind says which part. */
const part: Table = { get, update, patch };

export const subresources: Readonly<Record<string, Table>> = {
  status: part,
  approval: part,
  ephemeralcontainers: part,
  finalize: part,
  resize: part,
};
