import type { Kind } from "../../kinds/kind.ts";
import type { Loose } from "./core.ts";

/** Reads a patch's body and returns what it does to an object; may change that object in place. */
export type PatchType = { read(kind: Kind, body: string | undefined): (object: Loose) => Loose };

export const patchTypes: Readonly<Record<string, PatchType>> = {};
