/** Named pipes whose other ends a shim of containerd has. */
import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { type Command, command } from "../network/commands.ts";

const { O_NONBLOCK, O_RDONLY, O_RDWR } = constants;

/** By a program, as Node.js has no call for it. */
export async function makePipes(paths: readonly string[], start: Command = command): Promise<void> {
  await start("mkfifo", ["-m", "600", ...paths]);
}

/** Keeps what is in a pipe, also while nobody else has it open. Returns what ends this. */
export function holdPipe(path: string): () => void {
  const file = openSync(path, O_RDONLY | O_NONBLOCK);
  return () => closeSync(file);
}

/**
 * The reading end. A pipe is at its end when nobody has it open for writing, which is so at first: until `begun` is
 * called, this has. The shim has it from the moment that it was told to start what prints.
 */
export function readPipe(path: string): { output: Socket; begun(): void } {
  let guard: number | undefined = openSync(path, O_RDWR | O_NONBLOCK);
  const output = new Socket({ fd: openSync(path, O_RDONLY | O_NONBLOCK), readable: true, writable: false });
  output.on("error", () => {});
  return {
    output,
    begun() {
      if (guard !== undefined) closeSync(guard);
      guard = undefined;
    },
  };
}

/** The writing end. Open both ways, it stays open though nobody has come to read it yet, or does any more. */
export function writePipe(path: string): Socket {
  const input = new Socket({ fd: openSync(path, O_RDWR | O_NONBLOCK), readable: false, writable: true });
  return input.on("error", () => {});
}
