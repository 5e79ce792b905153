import { clientUntilStopped } from "../client.ts";
import type { ControlPlane } from "../control-plane.ts";

/** How long requests took, in ms. */
export type Times = { p50: number; p99: number; count: number };

/** Requests at a steady pace while `body` goes on. */
export async function probed(plane: ControlPlane, body: () => Promise<unknown>): Promise<Times> {
  const stop = await clientUntilStopped<Times>(plane, "probe");
  await body();
  return stop();
}
