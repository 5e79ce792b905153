import { basename, join } from "node:path";

/** All of them that a node's agent needs beside itself. */
export const PROGRAMS: readonly string[] = ["pods/keeper", "streams/namespace-dialer"];

/**
 * The path of a program of ours that runs as a process of its own. `module` is its path below `agent`, without
 * extension: the source runs as it lies, and in the built package all programs lie beside each other.
 */
export function programPath(module: string): string {
  return import.meta.filename.endsWith(".ts")
    ? join(import.meta.dirname, `${module}.ts`)
    : join(import.meta.dirname, `${basename(module)}.js`);
}
