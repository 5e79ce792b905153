import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/**
 * The process that a `nerdctl exec` has started inside a container. Nothing tells it, but nerdctl holds the exec's pipes
 * open, whose names have its id, and the container's shim, which runs in the container's bundle, keeps its pid there.
 *
 * @param nerdctl pid of nerdctl, or of a parent that only waits for it
 * @param container pid of the container's first process
 */
export function execProcess(nerdctl: number | undefined, container: number | undefined): number | undefined {
  if (!nerdctl || !container) return undefined;
  const id = [nerdctl, ...descendants(nerdctl)].map(execId).find((found) => found !== undefined);
  if (id === undefined) return undefined;
  try {
    const shim = parentOf(container);
    return Number(readFileSync(join(readlinkSync(`/proc/${shim}/cwd`), `${id}.pid`), "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

function descendants(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
    return children.flatMap((child) => [child, ...descendants(child)]);
  } catch {
    return [];
  }
}

function execId(pid: number): string | undefined {
  try {
    for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
      const id = /\/(exec-[^/]+)-std(?:in|out|err)$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
      if (id) return id;
    }
  } catch {
    // It has just ended.
  }
  return undefined;
}

function parentOf(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
}
