/** Sends what receivers of alerts are told: one request each, with a bound to how long it may take. */
import type { Order } from "./controllers/alerts/alerts.ts";
import { requestOf, Unsendable } from "./lib/alerts/requests.ts";
import type { Outcome } from "./lib/alerts/step.ts";
import { inTime, type Outside } from "./outside.ts";

const TIMEOUT_MS = 10_000;
/** RFC 8030, section 7.3: the browser's subscription has ended. */
const GONE: ReadonlySet<number> = new Set([404, 410]);
/** Of what a server refuses, this may go well at another time. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

export type SenderParts = { outside: Outside | undefined; cluster: string; now(): number };

/** What went wrong is told without what was sent or where to: both may be secrets, and what a server answers may repeat them. */
export function sender({ outside, cluster, now }: SenderParts): (order: Order) => Promise<Outcome> {
  if (!outside) return async () => ({ sent: false, error: "nothing outside can be reached" });
  return async ({ delivery, receiver, secrets }) => {
    const { signal, end } = outside.deadline(TIMEOUT_MS);
    try {
      const { url, headers, body } = await requestOf(cluster, delivery, receiver, secrets, now());
      const request = { method: "POST", headers, body, redirect: "manual", signal } as const;
      const answer = await inTime(outside.fetch(url, request), signal);
      answer.body?.cancel().catch(() => undefined); // of no interest
      if (answer.ok) return { sent: true };
      const gone = receiver.target.type === "webpush" && GONE.has(answer.status);
      const isFinal = answer.status >= 400 && answer.status < 500 && !LATER.has(answer.status);
      return { sent: false, error: `it answered ${answer.status}`, ...(gone ? { gone } : isFinal && { final: true }) };
    } catch (error) {
      if (error instanceof Unsendable) return { sent: false, error: error.message };
      return { sent: false, error: signal.aborted ? `no answer in ${TIMEOUT_MS / 1000} s` : "it cannot be reached" };
    } finally {
      end();
    }
  };
}
