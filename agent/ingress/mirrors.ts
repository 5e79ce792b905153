/** Copies of requests, for Services that listen in: nobody waits for their answers. */
import { PassThrough, type Readable } from "node:stream";
import type { Backend, Protocol } from "../../worker/kinds/ingress/backends.ts";
import { type Led, targetKey } from "../../worker/kinds/ingress/routes.ts";
import type { Timers } from "../effects.ts";
import type { Balancer } from "./balancer.ts";
import type { Ask, Dialer } from "./exchange.ts";

/** Of a body that a Service does not take as fast as the one that answers; then its copy ends. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** In which a copy has to be done with. */
const LIMIT_MS = 60_000;

export type MirrorsParts = {
  dialers: Readonly<Record<Protocol, Dialer>>;
  balancer: Balancer;
  random(): number;
  timers: Timers;
};

export class Mirrors {
  readonly #parts: MirrorsParts;

  constructor(parts: MirrorsParts) {
    this.#parts = parts;
  }

  /** Begins the copies that a rule wants; what is returned is to be called when the body begins to be read. */
  begin({ filters }: Led, ask: Ask, backends: Readonly<Record<string, Backend>>): (body: Readable) => void {
    const copies = (filters?.mirrors ?? []).flatMap(({ target, percent = 100 }) => {
      const backend = backends[targetKey(target)];
      const endpoint = backend && this.#parts.balancer.choose(backend.endpoints, new Set());
      if (!endpoint || endpoint === "busy" || this.#parts.random() * 100 >= percent) return [];
      const copy = new PassThrough({ highWaterMark: MAX_WAITING_BYTES });
      copy.on("error", () => {}); // it ends
      void this.#send(this.#parts.dialers[backend.protocol].dial(endpoint, ask), copy, ask.hasBody);
      return [copy];
    });
    return (body) => {
      for (const copy of copies) {
        body.on("data", (chunk: Buffer) => {
          if (!copy.destroyed && !copy.write(chunk)) copy.destroy();
        });
        body.once("end", () => copy.end()).once("close", () => copy.end());
      }
    };
  }

  async #send(dialed: ReturnType<Dialer["dial"]>, copy: PassThrough, hasBody: boolean): Promise<void> {
    let end = () => {};
    const cancel = this.#parts.timers.after(LIMIT_MS, () => end());
    try {
      const outgoing = await dialed;
      end = () => outgoing.destroy();
      copy.once("close", () => {
        if (!copy.readableEnded && hasBody) end();
      });
      if (hasBody) copy.pipe(outgoing.body);
      const { body } = await outgoing.answer;
      if (body) await closed(body.on("error", () => {}).resume());
    } catch {
      // whoever listens in may have gone
    } finally {
      cancel();
    }
  }
}

const closed = (body: Readable): Promise<void> =>
  new Promise((resolve) => void (body.closed ? resolve() : body.once("close", resolve)));
