/** Requests at a steady rate, however long each takes: who comes does not wait for those who came before. */
import { get } from "node:http";
import { effects } from "../../../agent/effects.ts";

export type Sent = { atMs: number; tookMs: number; status: number };

export class SteadyLoad {
  readonly sent: Sent[] = [];
  readonly #port: number;
  readonly #host: string;
  readonly #start = performance.now();
  readonly #pending = new Set<Promise<void>>();

  constructor(port: number, host: string) {
    this.#port = port;
    this.#host = host;
  }

  /** Ms since the load was made. */
  get nowMs(): number {
    return performance.now() - this.#start;
  }

  async run(seconds: number, perSecond: number): Promise<void> {
    const begin = this.nowMs;
    for (let count = 0; count < Math.max(1, seconds * perSecond); count++) {
      const dueMs = perSecond === 0 ? seconds * 1000 : (count * 1000) / perSecond;
      await effects.sleep(Math.max(0, begin + dueMs - this.nowMs));
      if (perSecond > 0) this.send();
    }
  }

  send(): void {
    const atMs = this.nowMs;
    const sending = this.#one().then((status) => void this.sent.push({ atMs, tookMs: this.nowMs - atMs, status }));
    this.#pending.add(sending);
    void sending.finally(() => this.#pending.delete(sending));
  }

  async over(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #one(): Promise<number> {
    const options = { host: "127.0.0.1", port: this.#port, agent: false as const, headers: { host: this.#host } };
    return new Promise((resolve) => {
      const request = get(options, (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode ?? 0)).once("error", () => resolve(0));
      });
      request.once("error", () => resolve(0));
    });
  }
}
