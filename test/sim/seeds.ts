/** Runs that failed once, and what they showed; every one stays a test. With a script, only what it names happens. */
import type { Script } from "./workload/script.ts";

export type NamedSeed = { name: string; seed: number; hours: number; script?: Script };

export const SEEDS: readonly NamedSeed[] = [];
