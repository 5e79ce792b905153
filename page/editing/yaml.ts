/** An object as it is edited. */
import { stringify } from "yaml";
import type { KubeObject } from "../api/objects.ts";

/** As kubectl and the API read it: `yes` and `on` are booleans there, and so are quoted where they are texts. */
export const YAML = { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false } as const;

const OF_THE_SERVER = ["managedFields", "uid", "creationTimestamp", "generation", "selfLink", "resourceVersion"];

/** Without what only the server says. */
export function editable(object: KubeObject & { status?: unknown }): Record<string, unknown> {
  const { status: _, ...rest } = structuredClone(object);
  const metadata: Record<string, unknown> = { ...rest.metadata };
  for (const name of OF_THE_SERVER) delete metadata[name];
  return { ...rest, metadata };
}

export const textOf = (object: object): string => stringify(object, YAML);
