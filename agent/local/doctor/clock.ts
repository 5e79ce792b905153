/** What a server's clock says, told by each of its answers: to the second, and while the answer was under way. */
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { errorText } from "../../../worker/lib/error-text.ts";
import { open, type Server } from "../http.ts";

const TIMEOUT_MS = 5_000;
const PATH = "/readyz";

export type Told = { aheadMs?: number; error?: string };

/** Whether the server answers at all, and how far this machine is ahead of it. */
export async function answerOf(server: Server, now: () => number): Promise<Told> {
  try {
    return aheadOf(await open({ ...server, anyTime: true }, "GET", PATH, { timeoutMs: TIMEOUT_MS }), now);
  } catch (error) {
    const isOfTime = OF_TIME.includes(String((error as { code?: unknown }).code));
    const told = isOfTime ? await unverified(server.url).then((answer) => aheadOf(answer, now), nothing) : {};
    return { ...told, error: errorText(error) };
  }
}

/** A certificate whose dates speak against it, or against this machine's clock. */
const OF_TIME = ["CERT_NOT_YET_VALID", "CERT_HAS_EXPIRED"];

const nothing = (): Told => ({});

function aheadOf(response: IncomingMessage, now: () => number): Told {
  response.resume();
  const told = Date.parse(response.headers.date ?? "");
  return Number.isNaN(told) ? {} : { aheadMs: now() - told };
}

/** Whoever answers is asked for the time alone: nothing secret goes there, and nothing else that comes is believed. */
const unverified = (url: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const options = { rejectUnauthorized: false, timeout: TIMEOUT_MS, agent: false };
    const call = request(new URL(PATH, url), options, resolve);
    call.on("timeout", () => call.destroy(new Error("no answer")));
    call.on("error", reject).end();
  });
