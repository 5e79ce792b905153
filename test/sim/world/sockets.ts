/** The object's ends of its sockets, kept by the platform while the object sleeps. */
import { PING, PONG } from "../../../worker/protocol/parse.ts";
import type { Attachment, HostSocket } from "../../../worker/sockets.ts";
import type { Clock } from "./clock.ts";
import type { Connection } from "./network.ts";

/** What an attachment may hold at most, as the platform limits it. */
const MAX_ATTACHMENT_BYTES = 16_384;

export class SimSocket implements HostSocket {
  readonly tag: "node" | "watch";
  readonly connection: Connection;
  /** False from the moment either side closes. */
  isOpen = true;
  readonly #clock: Clock;
  readonly #output: (release: () => void) => void;
  #attachment = "";
  #answeredAt: number | undefined;

  constructor(tag: "node" | "watch", connection: Connection, clock: Clock, output: (release: () => void) => void) {
    this.tag = tag;
    this.connection = connection;
    this.#clock = clock;
    this.#output = output;
  }

  send(text: string): void {
    if (this.isOpen) this.#output(() => this.connection.send(text));
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#output(() => this.connection.close(code, reason));
  }

  attachment(): Attachment {
    return JSON.parse(this.#attachment) as Attachment;
  }

  keep(attachment: Attachment): void {
    const text = JSON.stringify(attachment);
    if (text.length > MAX_ATTACHMENT_BYTES) throw new Error("a WebSocket's attachment is too large");
    this.#attachment = text;
  }

  answeredAt(): number | undefined {
    return this.#answeredAt;
  }

  /** The platform answers pings without the object; true when the message was one. */
  answersItself(text: string): boolean {
    if (text !== PING) return false;
    this.#answeredAt = this.#clock.now;
    if (this.isOpen) this.connection.send(PONG);
    return true;
  }
}
