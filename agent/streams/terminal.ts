/** A pseudo-terminal for a program that insists on one: util-linux' `script` makes it. */
import { readFileSync, readlinkSync } from "node:fs";
import type { Timers } from "../effects.ts";
import { run } from "../process.ts";

const RESIZE_TRIES = 40;
const RESIZE_WAIT_MS = 25;

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

/** Sets the size of the terminal that `script` made; the kernel tells the program, and nerdctl the container. */
export async function resizeTerminal(
  script: number | undefined,
  size: { width: number; height: number },
  timers: Pick<Timers, "sleep">,
): Promise<void> {
  for (let tries = 0; tries < RESIZE_TRIES; tries++) {
    const terminal = terminalOf(script);
    if (terminal) return void (await run("stty", ["-F", terminal, "rows", `${size.height}`, "cols", `${size.width}`]));
    await timers.sleep(RESIZE_WAIT_MS); // `script` has not started its child yet
  }
}

function terminalOf(script: number | undefined): string | undefined {
  try {
    const [child] = readFileSync(`/proc/${script}/task/${script}/children`, "utf8").trim().split(" ");
    const terminal = readlinkSync(`/proc/${child}/fd/0`);
    return terminal.startsWith("/dev/pts/") ? terminal : undefined;
  } catch {
    return undefined;
  }
}
