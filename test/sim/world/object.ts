/**
 * The platform of the Cluster object: one turn at a time, whose words go out only when its writes are durable; sleep,
 * from which any event wakes it; one alarm; and death at any moment, after which memory is built anew from storage.
 * The code that runs inside is the real `Host`.
 */

import type { Core } from "../../../worker/core.ts";
import type { CoreLimits } from "../../../worker/core-parts.ts";
import { Host, type HostPlatform, type HostSettings, type SocketTag } from "../../../worker/host.ts";
import type { Observation, Part } from "../contract.ts";
import { Alarm } from "./alarm.ts";
import type { Clock } from "./clock.ts";
import { CALM, type Conditions } from "./conditions.ts";
import type { Database } from "./database.ts";
import { OutputGate } from "./gate.ts";
import { CERTIFICATES } from "./image.ts";
import { Connection, type Network } from "./network.ts";
import { between } from "./random.ts";
import { SimSocket } from "./sockets.ts";

/** An answer of the object: HTTP, or the other end of a socket. */
export type Answer = { code: number; headers: Headers; text: string; connection: Connection | undefined };

/** One stretch of memory, from a start to a death. */
type Life = {
  /** Ends when what runs exclusively does. */
  exclusive: Promise<unknown>;
  host: Host;
  dead: boolean;
  /** Handlers that have not come to their end, and timers that will run: with any of them it does not sleep. */
  busy: number;
  timers: Set<() => void>;
  /** Requests that hear nothing when this life ends. */
  lost: Set<() => void>;
};

/** An object without anything to do sleeps after so long. */
const SLEEPS_AFTER_MS = 10_000;

/** What the code of a life meets once that life is over; it means nothing any more. */
export class Dead extends Error {
  override readonly name = "Dead";
}

export type ObjectOptions = {
  clock: Clock;
  network: Network;
  database: Database;
  part: Part;
  settings: HostSettings;
  limits: CoreLimits;
  observe(observation: Observation): void;
  report(controller: string, key: string, error: unknown): void;
  /** Told of what the object threw where nobody catches it. */
  uncaught(error: unknown): void;
};

export class ClusterObject {
  readonly conditions: Conditions = { ...CALM };
  readonly #options: ObjectOptions;
  #life: Life | undefined;
  #sockets: SimSocket[] = [];
  readonly #gate: OutputGate;
  readonly #alarm: Alarm;
  #turnEnds = false;
  #crashIn: number | undefined;
  #turnsLeft = Number.POSITIVE_INFINITY;
  #crashed = false;
  #cancelSleep: (() => void) | undefined;

  constructor(options: ObjectOptions) {
    this.#options = options;
    const { conditions } = this;
    this.#alarm = new Alarm({ ...options, conditions, ring: () => this.#ring() });
    this.#gate = new OutputGate({ ...options, conditions, alarm: this.#alarm });
    options.database.beforeStatement = (isWrite) => this.#beforeStatement(isWrite);
  }

  get sockets(): readonly SimSocket[] {
    return this.#sockets;
  }

  /** What its memory holds now. */
  get awake(): Core | undefined {
    return this.#life?.host.awake;
  }

  /** Asks over HTTP. `answered` is called in a turn of the world's; `lost` when the object dies first. */
  fetch(request: Request, answered: (answer: Answer) => void, lost: () => void): void {
    this.#enter(async (life) => {
      life.lost.add(lost);
      const response = await life.host.fetch(request).catch((error: unknown) => {
        life.lost.delete(lost);
        if (!life.dead) lost();
        throw error;
      });
      const connection = (response as { connection?: Connection }).connection;
      const text = await response.text();
      if (life.dead) return;
      this.#output(() => {
        life.lost.delete(lost);
        answered({ code: response.status, headers: response.headers, text, connection });
      });
    });
  }

  /** Sockets stay, memory goes. */
  #sleep(): void {
    const life = this.#life;
    if (!life || life.busy > 0 || this.#gate.waits) return;
    this.#options.observe({ at: this.#options.clock.now, type: "rebuilt", why: "it slept", died: false });
    this.#bury(life);
  }

  /** Dies between two turns, as a deploy or a machine's end has it: every socket is torn. */
  die(why: string): void {
    const life = this.#life;
    this.#gate.lose();
    if (life) this.#bury(life);
    for (const socket of this.#sockets) {
      socket.isOpen = false;
      socket.connection.tear();
    }
    this.#sockets = [];
    this.#alarm.restore();
    this.#options.observe({ at: this.#options.clock.now, type: "rebuilt", why, died: true });
    for (const lost of life?.lost ?? []) lost();
  }

  /** Dies within a turn, at the so-many-th statement from now: nothing of that turn happened. */
  dieWithin(statements: number): void {
    this.#crashIn = statements;
  }

  /** Dies when the so-many-th turn from now that writes is durable, before another begins. */
  dieAfter(turns: number): void {
    this.#turnsLeft = turns;
  }

  #bury(life: Life): void {
    life.dead = true;
    for (const cancel of life.timers) cancel();
    this.#life = undefined;
  }

  #enter(body: (life: Life) => Promise<void>): void {
    const life = this.#life ?? this.#begin();
    this.#life = life;
    this.#cancelSleep?.();
    this.#beginTurn();
    life.busy += 1;
    body(life)
      .catch((error: unknown) => this.#failed(life, error))
      .finally(() => this.#isLessBusy(life));
  }

  #failed(life: Life, error: unknown): void {
    if (!life.dead && !this.#crashed) this.#options.uncaught(error);
  }

  #begin(): Life {
    const life: Life = {
      host: undefined as unknown as Host,
      dead: false,
      busy: 0,
      exclusive: Promise.resolve(),
      timers: new Set(),
      lost: new Set(),
    };
    life.host = new Host(this.#platform(life), this.#options.settings);
    return life;
  }

  #platform(life: Life): HostPlatform {
    const { database, part, network } = this.#options;
    return {
      sql: database.as(() => {
        if (life.dead || this.#crashed) throw new Dead("the object is no more");
      }),
      effects: { now: part.now, random: part.random, uid: part.uid },
      certificates: CERTIFICATES,
      limits: this.#options.limits,
      exclusively: (body) => {
        const done = life.exclusive.then(body).catch((error: unknown) => {
          // The platform resets an object that fails here; whoever asked is told so, and the next event starts it anew.
          this.#crashed = true;
          throw error;
        });
        life.exclusive = done.catch(() => undefined);
        return done;
      },
      defer: (body, ms) => void this.#defer(life, body, ms),
      sockets: (tag) => this.#sockets.filter((socket) => socket.isOpen && socket.tag === tag),
      accept: (tag) => {
        const connection = new Connection(network);
        const socket = this.#accept(tag, connection);
        return {
          socket,
          answer: (headers = {}) => Object.assign(new Response(null, { headers }), { connection }),
        };
      },
      committed: (changes) => {
        if (!life.dead && !this.#crashed) this.#gate.committed(changes);
      },
      report: (controller, key, error) => {
        if (!life.dead && !this.#crashed) this.#options.report(controller, key, error);
      },
      outside: {
        exchange: () => Promise.reject(new Error("there is nothing outside")),
        fetch: () => Promise.reject(new Error("there is nothing outside")),
        deadline: (ms) => {
          const deadline = new AbortController();
          return { signal: deadline.signal, end: this.#defer(life, () => deadline.abort(), ms) };
        },
      },
      getAlarm: async () => this.#alarm.at,
      setAlarm: (at) => {
        if (life.dead || this.#crashed) return;
        this.#alarm.set(at);
        database.touch();
      },
    };
  }

  /** Returns what calls it off. */
  #defer(life: Life, body: () => void, ms = 0): () => void {
    if (life.dead) return () => {};
    const { clock, part } = this.#options;
    life.busy += 1;
    const cancel = clock.after(ms + between(part.random, 0, 1), () => {
      life.timers.delete(cancel);
      this.#beginTurn();
      try {
        body();
      } catch (error) {
        this.#failed(life, error);
      }
      this.#isLessBusy(life);
    });
    life.timers.add(cancel);
    return () => {
      if (!life.timers.delete(cancel)) return;
      cancel();
      this.#isLessBusy(life);
    };
  }

  /** With nothing left to do it sleeps, if nothing comes for a while; the platform may also let it be. */
  #isLessBusy(life: Life): void {
    const { clock, part } = this.#options;
    life.busy -= 1;
    if (life.busy > 0 || life.dead || part.random() >= this.conditions.sleeps) return;
    this.#cancelSleep?.();
    this.#cancelSleep = clock.after(SLEEPS_AFTER_MS, () => this.#sleep());
  }

  #accept(tag: SocketTag, connection: Connection): SimSocket {
    const socket = new SimSocket(tag, connection, this.#options.clock, (release) => this.#output(release));
    this.#sockets.push(socket);
    const forget = () => {
      socket.isOpen = false;
      this.#sockets = this.#sockets.filter((other) => other !== socket);
    };
    connection.server = {
      message: (text) => {
        if (socket.answersItself(text)) return;
        if (this.conditions.refused) return connection.tear();
        this.#enter(async (life) => life.host.message(socket, text));
      },
      closed: () => {
        if (!this.#sockets.includes(socket)) return;
        forget();
        this.#enter(async (life) => life.host.gone(socket));
      },
    };
    return socket;
  }

  /** The alarm is over only when its handler is: a death before rings it again. */
  #ring(): void {
    const { clock, part } = this.#options;
    this.#enter(async (life) => {
      try {
        await life.host.alarm();
        this.#alarm.written();
        this.#options.database.touch();
        this.#beginTurn();
      } catch (error) {
        this.#failed(life, error);
        if (this.#alarm.at === null && !life.dead) this.#alarm.again();
      }
    });
    if (this.conditions.alarmTwice > 0 && part.random() < this.conditions.alarmTwice)
      clock.after(between(part.random, 0, 500), () => this.#enter(async (life) => life.host.alarm()));
  }

  #beforeStatement(isWrite: boolean): void {
    if (this.#crashIn !== undefined && --this.#crashIn <= 0) {
      this.#crashIn = undefined;
      this.#crashed = true;
      throw new Dead("the object's machine went away");
    }
    const { writesFail } = this.conditions;
    if (!isWrite || !writesFail) return;
    if (writesFail.chance === 1 || this.#options.part.random() < writesFail.chance) throw new Error(writesFail.why);
  }

  #beginTurn(): void {
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    this.#options.clock.whenDrained(() => this.#endTurn());
  }

  #output(release: () => void): void {
    this.#gate.say(release);
    this.#beginTurn();
  }

  #endTurn(): void {
    this.#turnEnds = false;
    if (this.#crashed) {
      this.#crashed = false;
      return this.die("its machine went away in the middle of a turn");
    }
    const wrote = this.#gate.endTurn();
    if (!wrote) return;
    this.#turnsLeft -= 1;
    if (this.#turnsLeft > 0) return;
    this.#turnsLeft = Number.POSITIVE_INFINITY;
    this.#gate.landAll();
    this.die("it went away between two turns");
  }
}
