/**
 * The network: everything arrives late, some of it never. Within one connection order holds, as TCP gives it; between
 * two it does not. A place that is cut off hears and says nothing until it is joined again.
 */
import type { Socket } from "../contract.ts";
import type { Clock } from "./clock.ts";
import { between, type Random } from "./random.ts";

/** Where a machine or a client is. What arrives for or from it while it is cut off waits, as TCP would send it again. */
export class Place {
  readonly name: string;
  #cut = false;
  #held: (() => void)[] = [];
  readonly #clock: Clock;

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
  }

  get isCut(): boolean {
    return this.#cut;
  }

  cut(): void {
    this.#cut = true;
  }

  join(): void {
    this.#cut = false;
    for (const deliver of this.#held.splice(0)) this.#clock.after(0, deliver);
  }

  pass(deliver: () => void): void {
    if (this.#cut) this.#held.push(deliver);
    else deliver();
  }
}

export type Weather = {
  /** Of one way, ms. */
  delay: { least: number; most: number };
  /** Chance that a request or its answer is lost. */
  loss: number;
};

export const FAIR: Weather = { delay: { least: 1, most: 40 }, loss: 0 };

export class Network {
  readonly clock: Clock;
  readonly random: Random;
  weather: Weather = FAIR;

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  delay(): number {
    const { least, most } = this.weather.delay;
    return between(this.random, least, most);
  }

  loses(): boolean {
    return this.weather.loss > 0 && this.random() < this.weather.loss;
  }
}

/** One direction of a connection. */
class Lane {
  readonly #network: Network;
  readonly #place: () => Place | undefined;
  #lastAt = 0;
  dead = false;

  constructor(network: Network, place: () => Place | undefined) {
    this.#network = network;
    this.#place = place;
  }

  send(deliver: () => void): void {
    if (this.dead) return;
    const { clock } = this.#network;
    this.#lastAt = Math.max(this.#lastAt, clock.now + this.#network.delay());
    const arrive = () => {
      if (!this.dead) deliver();
    };
    clock.after(this.#lastAt - clock.now, () => {
      if (this.dead) return;
      const place = this.#place();
      if (place) place.pass(arrive);
      else arrive();
    });
  }
}

/** The object's end of a connection. */
export type ServerEnd = {
  message(text: string): void;
  /** The connection is over, by the other side's close or by its loss. */
  closed(code: number): void;
};

const CLOSE_TIMEOUT_MS = 30_000;
/** What a WebSocket reports when no close frame came. */
const ABNORMAL = 1006;

/** A WebSocket from a place to the Cluster object. */
export class Connection {
  readonly remote: Socket;
  server: ServerEnd | undefined;
  readonly #network: Network;
  readonly #up: Lane;
  readonly #down: Lane;
  #place: Place | undefined;
  /** What the object sent before its answer told the other side that there is a connection. */
  #early: (() => void)[] | undefined = [];
  #remoteClosed = false;
  #serverClosed = false;
  readonly #handlers: { open?(): void; message?(text: string): void; close?(code: number, reason: string): void } = {};

  constructor(network: Network) {
    this.#network = network;
    this.#up = new Lane(network, () => this.#place);
    this.#down = new Lane(network, () => this.#place);
    this.remote = {
      send: (text) => {
        if (!this.#remoteClosed) this.#up.send(() => !this.#serverClosed && this.server?.message(text));
      },
      close: (code, reason) => this.#closeRemote(code, reason),
      onOpen: (handler) => {
        this.#handlers.open = handler;
      },
      onMessage: (handler) => {
        this.#handlers.message = handler;
      },
      onClose: (handler) => {
        this.#handlers.close = handler;
      },
    };
  }

  get place(): Place | undefined {
    return this.#place;
  }

  get isOver(): boolean {
    return this.#remoteClosed && this.#serverClosed;
  }

  /** The object's answer has arrived at `place`. */
  opened(place: Place): void {
    this.#place = place;
    this.#handlers.open?.();
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const send of early) send();
  }

  /** There will be no connection. */
  refused(): void {
    this.#serverClosed = true;
    this.#endRemote(ABNORMAL, "");
  }

  /** From the object. */
  send(text: string): void {
    this.#whenOpen(() => this.#down.send(() => !this.#remoteClosed && this.#handlers.message?.(text)));
  }

  /** From the object: it reads no more. */
  close(code: number, reason: string): void {
    this.#whenOpen(() =>
      this.#down.send(() => {
        this.#endRemote(code, reason);
        this.#up.send(() => this.#endServer(code));
      }),
    );
  }

  /** The connection is torn: both ends learn of it, what was on its way is lost. */
  tear(): void {
    this.fallSilent();
    const { clock } = this.#network;
    clock.after(this.#network.delay(), () => this.#endServer(ABNORMAL));
    clock.after(this.#network.delay(), () =>
      this.#place ? this.#place.pass(() => this.#endRemote(ABNORMAL, "")) : this.#endRemote(ABNORMAL, ""),
    );
  }

  /** The connection is dead and nobody is told. */
  fallSilent(): void {
    this.#up.dead = true;
    this.#down.dead = true;
  }

  #whenOpen(body: () => void): void {
    if (this.#early) this.#early.push(body);
    else body();
  }

  /** 1006 ends it at once, as a process that dies does; anything else waits for the other side's word, within limits. */
  #closeRemote(code: number, reason: string): void {
    if (this.#remoteClosed) return;
    this.#up.send(() => {
      this.#endServer(code);
      this.#down.send(() => this.#endRemote(code, reason));
    });
    if (code === ABNORMAL) this.#network.clock.after(0, () => this.#endRemote(ABNORMAL, ""));
    else this.#network.clock.after(CLOSE_TIMEOUT_MS, () => this.#endRemote(ABNORMAL, ""));
  }

  #endRemote(code: number, reason: string): void {
    if (this.#remoteClosed) return;
    this.#remoteClosed = true;
    this.#handlers.close?.(code, reason);
  }

  #endServer(code: number): void {
    if (this.#serverClosed) return;
    this.#serverClosed = true;
    this.server?.closed(code);
  }
}
