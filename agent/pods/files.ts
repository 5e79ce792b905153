import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Writability } from "../node/writability.ts";
import type { PodMemory } from "./memory.ts";
import { terminationMessage } from "./termination.ts";

/** What is kept on disk of each pod, beside its volumes. */
export interface PodFiles {
  /** The uids of all pods of which something is there. */
  uids(): string[];
  /** undefined for a pod that never got as far as to run anything. */
  memory(uid: string): PodMemory | undefined;
  /** Takes a memory as JSON; a crash leaves the old or the new one. */
  remember(uid: string, memory: string): void;
  /** Makes the empty file that an attempt of a container finds at its terminationMessagePath; returns its path. */
  messageFile(uid: string, container: string, attempt: number): string;
  /** The termination message of a container that has ended. */
  message(
    paths: { messagePath?: string; logPath?: string },
    policy: string | undefined,
    failed: boolean,
  ): string | undefined;
  /** Writes what a pod's containers see as /etc/resolv.conf and, made from the machine's own, /etc/hosts. */
  writeNames(uid: string, resolvConf: string, hosts: (machineHosts: string) => string): void;
  /** What `writeNames` wrote, as `[place on this machine, path in containers]`. */
  names(uid: string): [string, string][];
}

const MACHINE_HOSTS = "/etc/hosts";

function setAside(file: string): void {
  try {
    renameSync(file, `${file}.broken`);
  } catch {
    // On a disk that cannot be written: it is not read again in this life.
  }
}

/** Under `HOME/pods/UID`. */
export function podFiles(home: string, writability = new Writability()): PodFiles {
  const root = join(home, "pods");
  return {
    uids: () => (existsSync(root) ? readdirSync(root) : []),
    memory(uid) {
      const file = join(root, uid, "memory.json");
      try {
        return JSON.parse(readFileSync(file, "utf8")) as PodMemory;
      } catch (error) {
        // Torn by a loss of power: its containers tell the most of it once more.
        if (error instanceof SyntaxError) setAside(file);
        return undefined;
      }
    },
    remember: (uid, memory) =>
      writability.attempt("pods", () => {
        const file = join(root, uid, "memory.json");
        mkdirSync(join(root, uid), { recursive: true, mode: 0o750 });
        writeFileSync(`${file}.new`, memory, { mode: 0o600, flush: true });
        renameSync(`${file}.new`, file);
      }),
    messageFile(uid, container, attempt) {
      const folder = join(root, uid, "containers", container);
      mkdirSync(folder, { recursive: true });
      const path = join(folder, `message-${attempt % 2}`);
      writeFileSync(path, "");
      chmodSync(path, 0o666); // whoever the container runs as writes it
      return path;
    },
    message: terminationMessage,
    writeNames(uid, resolvConf, hosts) {
      mkdirSync(join(root, uid), { recursive: true, mode: 0o750 });
      writeFileSync(join(root, uid, "resolv.conf"), resolvConf);
      const machine = existsSync(MACHINE_HOSTS) ? readFileSync(MACHINE_HOSTS, "utf8") : "";
      writeFileSync(join(root, uid, "hosts"), hosts(machine));
    },
    names: (uid) => ["resolv.conf", "hosts"].map((file) => [join(root, uid, file), `/etc/${file}`]),
  };
}
