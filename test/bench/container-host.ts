/** What runs containers in a Deployment or service, as the measures see it. */
import { readdirSync, readFileSync } from "node:fs";
import { effects } from "../../agent/effects.ts";
import type { Started } from "./measure.ts";

export type ContainerHost = Started & {
  /** Asks for so many replicas of one pause-like container, and resolves when the system says that all are running. */
  scale(replicas: number): Promise<void>;
  /** Ids of running containers: a restarted or replaced one has another. */
  running(): Promise<string[]>;
};

/** What every replica runs: it does nothing, and can be found among the machine's processes. */
export const COMMAND = ["sleep", "1000000"];
const TIMEOUT_MS = 180_000;
/** Both sides are asked at this pace. */
const POLL_MS = 50;

export async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const end = effects.now() + TIMEOUT_MS;
  while (!(await check())) {
    if (effects.now() > end) throw new Error(`${what}: not within ${TIMEOUT_MS / 1000} s`);
    await effects.sleep(POLL_MS);
  }
}

/** Kills one replica's process and waits until as many as before run again; in seconds. */
export async function replacement(host: ContainerHost): Promise<number> {
  const before = new Set(await host.running());
  const victim = processes()[0];
  if (victim === undefined) throw new Error("no container's process is to be found");
  const start = effects.now();
  process.kill(victim, "SIGKILL");
  await until("the killed container is replaced", async () => {
    const now = await host.running();
    return now.length === before.size && now.some((id) => !before.has(id));
  });
  return (effects.now() - start) / 1000;
}

function processes(): number[] {
  const wanted = `${COMMAND.join("\0")}\0`;
  const isReplica = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8") === wanted;
    } catch {
      return false; // it has ended meanwhile
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isReplica(name))
    .map(Number);
}
