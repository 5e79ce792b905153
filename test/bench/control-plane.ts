/** What the API measures see of a control plane, whichever it is. */
import { effects } from "../../agent/effects.ts";
import { type Endpoint, send } from "../../agent/local/http.ts";
import type { Server } from "../support/server.ts";
import type { Started } from "./measure.ts";
import type { Memory } from "./processes.ts";

export type ControlPlane = Started & {
  endpoint: Required<Endpoint>;
  /** The CA's certificate, as a file. */
  caFile: string;
  /** From the start of the first process to the first answer of the API to its administrator, in ms. */
  startMs: number;
  /** Of every process of the control plane. */
  memory(): Memory[];
};

/** With `controllers`, all of a cluster but its nodes; without, the API and its storage. */
export type ControlPlaneOptions = { controllers: boolean };

const START_TIMEOUT_MS = 120_000;
const POLL_MS = 5;

/** Polls until the API answers its administrator; the time since `start`, in ms. */
export async function firstAnswer(
  endpoint: () => Endpoint | undefined,
  start: number,
  servers: () => readonly Server[],
): Promise<number> {
  for (;;) {
    const server = endpoint();
    const answer = server && (await send(server, "GET", "/api/v1/namespaces/default").catch(() => undefined));
    if (answer?.code === 200) return effects.now() - start;
    const broken = servers().find(({ ended }) => ended);
    if (broken || effects.now() - start > START_TIMEOUT_MS)
      throw new Error(`no answer: ${servers().map((one) => one.tail())}`);
    await effects.sleep(POLL_MS);
  }
}
