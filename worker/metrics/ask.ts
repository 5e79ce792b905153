import { ApiError, type Status } from "../lib/status.ts";
import type { Chunks } from "./chunks.ts";

/** A method of the Metrics object's. */
export type AskChunks = <Name extends keyof Chunks>(
  name: Name,
  ...given: Parameters<Chunks[Name]>
) => Promise<ReturnType<Chunks[Name]>>;

/** Errors lose their class on the way from an object: what is refused is told. */
export type Reply = { told: unknown } | { refused: Status };

type Method = (...given: unknown[]) => unknown;

export function reply(chunks: Chunks, name: keyof Chunks, given: unknown[]): Reply {
  try {
    return { told: (chunks[name] as Method).apply(chunks, given) };
  } catch (error) {
    if (error instanceof ApiError) return { refused: error.status() };
    throw error;
  }
}

/** Over RPC, which carries plain values alone. Throws what is refused. */
export const askOver = (object: { ask(name: keyof Chunks, given: unknown[]): Promise<Reply> }): AskChunks =>
  (async (name: keyof Chunks, ...given: unknown[]) => {
    const answer = await object.ask(name, given);
    if ("told" in answer) return answer.told;
    const { code = 500, reason = "", message = "" } = answer.refused;
    throw new ApiError(code, reason, message);
  }) as AskChunks;
