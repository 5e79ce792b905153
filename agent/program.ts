import { basename, join } from "node:path";
import { become } from "./process.ts";

/** All of them that a node's agent needs beside itself. */
export const PROGRAMS: readonly string[] = ["pods/keeper", "streams/namespace-dialer", "ingress/proxy"];

/** The sources run as they lie, until a bundler has made one file of each program. */
const isBuilt = !import.meta.filename.endsWith(".ts");

/**
 * Flags of V8 for programs that wait nearly all the time: their code is interpreted and never compiled, objects that die
 * young have 3 MB, and such a program may ask for a collection of all garbage. There is no WebAssembly then: neither
 * `fetch` nor sources in TypeScript. What each of them gives is in test/bench/TRIED.md.
 */
export const LEAN: readonly string[] = ["--lite-mode", "--max-semi-space-size=1", "--expose-gc"];

/**
 * The path of a program of ours that runs as a process of its own. `module` is its path below `agent`, without
 * extension: in the built package all programs lie beside each other.
 */
export function programPath(module: string): string {
  return join(import.meta.dirname, isBuilt ? `${basename(module)}.js` : `${module}.ts`);
}

/** Of glibc: one heap for all threads, of which what is free goes back to the system. */
const LEAN_ENVIRONMENT = { MALLOC_ARENA_MAX: "1", MALLOC_TRIM_THRESHOLD_: "131072" };

/** This process becomes a program of ours with all that keeps such a one small. */
export function becomeLean(command: readonly string[]): never {
  Object.assign(process.env, LEAN_ENVIRONMENT);
  return become(process.execPath, [...LEAN, ...command]);
}

/** The same for the program that runs, if it was not started so. */
export function beLean(): void {
  const { execArgv, argv } = process;
  if (!LEAN.every((flag) => execArgv.includes(flag))) becomeLean([...execArgv, ...argv.slice(1)]);
}
