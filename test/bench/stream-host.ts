/** What kubectl moves bytes to and from, as the measures see it. */
import { run } from "../../agent/process.ts";
import type { Started } from "./measure.ts";

export type StreamHost = Started & {
  /** So many MB come out of a command. */
  take(megabytes: number): Promise<void>;
  /** So many MB go into one, which reads them to their end. */
  give(megabytes: number): Promise<void>;
  /** Reads a log; how many MB it had. */
  logs(): Promise<number>;
};

/** The same commands of kubectl for every side: `kubectl` is its program and the flags that name the cluster. */
export function throughKubectl(kubectl: string, env: NodeJS.ProcessEnv): Omit<StreamHost, "stop"> {
  const shell = async (line: string) => {
    const done = await run("bash", ["-o", "pipefail", "-c", line], { env, timeoutMs: 120_000 });
    if (done.code !== 0) throw new Error(`${line} ended with ${done.code}: ${done.stderr}`);
    return done.stdout;
  };
  return {
    async take(megabytes) {
      await shell(`${kubectl} exec streams -- dd if=/dev/zero bs=1M count=${megabytes} >/dev/null`);
    },
    async give(megabytes) {
      await shell(`dd if=/dev/zero bs=1M count=${megabytes} | ${kubectl} exec -i streams -- sh -c 'cat >/dev/null'`);
    },
    logs: async () => Number(await shell(`${kubectl} logs streams | wc -c`)) / 1e6,
  };
}
