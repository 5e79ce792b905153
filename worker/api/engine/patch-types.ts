import type { Kind } from "../../kinds/kind.ts";
import { readJsonPatch } from "../../kinds/patch/json-patch.ts";
import { readMergePatch } from "../../kinds/patch/merge-patch.ts";
import { readStrategicPatch } from "../../kinds/patch/strategic-merge.ts";
import type { Loose } from "./core.ts";

/** Reads a patch's body and returns what it does to an object; may change that object in place. */
export type PatchType = { read(kind: Kind, body: string | undefined): (object: Loose) => Loose };

type Change = (document: unknown) => unknown;
const loose = (change: Change) => (object: Loose) => change(object) as Loose;

export const patchTypes: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": { read: (_, body) => loose(readJsonPatch(body)) },
  "application/merge-patch+json": { read: (_, body) => loose(readMergePatch(body)) },
  "application/strategic-merge-patch+json": { read: (kind, body) => loose(readStrategicPatch(kind.schema, body)) },
};
