/** A pseudo-terminal for a program that insists on one: util-linux' `script` makes it. */
import { readFileSync, readlinkSync } from "node:fs";
import type { Timers } from "../effects.ts";
import { run } from "../process.ts";

const RESIZE_TRIES = 40;
const RESIZE_WAIT_MS = 25;
const REMIND_MS = [100, 300, 1000, 3000];

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * The container's own terminal does all that terminals do to lines, so this outer one must add nothing (`-onlcr`).
 * `messages` is a file for the program's error output.
 */
export function terminalCommand(words: readonly string[], messages: string) {
  const line = `stty raw -echo -onlcr; exec ${words.map(quote).join(" ")} 2>${quote(messages)}`;
  return {
    program: "script",
    args: ["-q", "-e", "-f", "-c", line, "/dev/null"],
    environment: { TERM: "xterm", SHELL: "/bin/sh" },
  };
}

/**
 * Sets the size of the terminal that `script` made; the kernel tells the program, and nerdctl the container. nerdctl is
 * deaf to that at its start, and a container's process that has not started yet takes no size: so it is told again.
 */
export async function resizeTerminal(
  script: number | undefined,
  size: { width: number; height: number },
  timers: Pick<Timers, "sleep">,
): Promise<void> {
  for (let tries = 0; tries < RESIZE_TRIES; tries++) {
    const terminal = terminalOf(script);
    if (terminal) {
      await run("stty", ["-F", terminal.path, "rows", `${size.height}`, "cols", `${size.width}`]);
      break;
    }
    await timers.sleep(RESIZE_WAIT_MS); // `script` has not started its child yet
  }
  for (const wait of REMIND_MS) {
    await timers.sleep(wait);
    const program = terminalOf(script)?.program;
    if (program) process.kill(program, "SIGWINCH");
  }
}

/** The program that `script` runs, and its terminal. */
function terminalOf(script: number | undefined): { program: number; path: string } | undefined {
  try {
    const [program] = readFileSync(`/proc/${script}/task/${script}/children`, "utf8").trim().split(" ");
    const path = readlinkSync(`/proc/${program}/fd/0`);
    return path.startsWith("/dev/pts/") ? { program: Number(program), path } : undefined;
  } catch {
    return undefined;
  }
}
