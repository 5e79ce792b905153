import { type Run, run } from "../process.ts";

/** Runs a program of the node (ip, nft, conntrack) and returns what it printed. Rejects when it fails. */
export type Command = (program: string, args: readonly string[], input?: string) => Promise<string>;

const LIMIT_MS = 20_000;

export const commandBy =
  (run: Run): Command =>
  async (program, args, input) => {
    const { code, stdout, stderr } = await run(program, args, { input, timeoutMs: LIMIT_MS }).catch((error) => {
      throw error?.code === "ENOENT" ? new CommandError(program, args, 127, `${program} is not installed`) : error;
    });
    if (code !== 0) throw new CommandError(program, args, code, stderr.trim());
    return stdout;
  };

export const command: Command = commandBy(run);

export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: number;
  readonly stderr: string;

  constructor(program: string, args: readonly string[], code: number, stderr: string) {
    super(`${[program, ...args].join(" ")} ended with ${code}: ${stderr.slice(0, 2000)}`);
    this.code = code;
    this.stderr = stderr;
  }
}

/** For removals: what is gone already is no failure. */
export async function attempt(work: Promise<unknown>): Promise<void> {
  await work.catch(() => {});
}

/** An address of an interface that no other machine on its network has, as `ip address` takes it. */
export const hostAddress = (address: string): string[] =>
  address.includes(":") ? [`${address}/128`, "nodad"] : [`${address}/32`];
