/**
 * The platform of the Cluster object: one turn at a time, whose words go out only when its writes are durable; sleep,
 * from which any event wakes it; one alarm; and death at any moment, after which memory is built anew from storage.
 * The code that runs inside is the real `Host`.
 */

import type { Core, CoreLimits } from "../../../worker/core.ts";
import { Host, type HostPlatform, type HostSettings, type SocketTag } from "../../../worker/host.ts";
import type { Certificates } from "../../../worker/lib/certificates.ts";
import type { Change } from "../../../worker/storage/store.ts";
import type { Observation, Part } from "../contract.ts";
import type { Clock } from "./clock.ts";
import type { Database, Turn } from "./database.ts";
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

type Unacknowledged = {
  turn: Turn;
  changes: readonly Change[];
  alarm: number | null | undefined;
  release: (() => void)[];
};

/** How the machine behaves; the faults of the world turn these. */
export type Conditions = {
  /** How long a write takes to be durable, ms. */
  storage: { least: number; most: number };
  /** Writes fail, each by this chance: the disk is full, or the day's allowance is used up. */
  writesFail: { why: string; chance: number } | undefined;
  /** The platform turns everything away that would reach the object. */
  refused: boolean;
  /** By how much alarms come late at most, ms. */
  alarmLate: number;
  /** Chance that an alarm goes off twice. */
  alarmTwice: number;
  /** Chance that it sleeps when it could. */
  sleeps: number;
};

export const CALM: Conditions = {
  storage: { least: 0, most: 4 },
  writesFail: undefined,
  refused: false,
  alarmLate: 50,
  alarmTwice: 0,
  sleeps: 0.3,
};

const ALARM_RETRY_MS = 2_000;
/** An object without anything to do sleeps after so long. */
const SLEEPS_AFTER_MS = 10_000;

/** No key is ever checked here, so none is made. */
export const CERTIFICATES: Certificates = {
  createAuthority: async () => ({ certificate: "the cluster's certificate", key: "the cluster's key" }),
  issueServer: async () => ({ certificate: "a server's certificate", key: "a server's key" }),
  issueClient: async () => ({ certificate: "a client's certificate", key: "a client's key" }),
};

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
  /** Words of the turn that runs. */
  #outbox: (() => void)[] = [];
  #unacknowledged: Unacknowledged[] = [];
  #turnEnds = false;
  #durableAt = 0;
  /** What the turn that runs has committed. */
  #changes: Change[] = [];
  /** As the object sees it, and as it is on the disk. */
  #alarm: number | null = null;
  #durableAlarm: number | null = null;
  #alarmWritten = false;
  #cancelAlarm: (() => void) | undefined;
  #crashIn: number | undefined;
  #turnsLeft = Number.POSITIVE_INFINITY;
  #crashed = false;
  #cancelSleep: (() => void) | undefined;

  constructor(options: ObjectOptions) {
    this.#options = options;
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
    if (!life || life.busy > 0 || this.#unacknowledged.length > 0) return;
    this.#options.observe({ at: this.#options.clock.now, type: "rebuilt", why: "it slept", died: false });
    this.#bury(life);
  }

  /** Dies between two turns, as a deploy or a machine's end has it: every socket is torn. */
  die(why: string): void {
    const life = this.#life;
    this.#landSome();
    this.#options.database.lose();
    this.#changes = [];
    this.#unacknowledged = [];
    this.#outbox = [];
    if (life) this.#bury(life);
    for (const socket of this.#sockets) {
      socket.isOpen = false;
      socket.connection.tear();
    }
    this.#sockets = [];
    // An alarm that was ringing rings again, but not at once.
    const soonest = this.#options.clock.now + ALARM_RETRY_MS;
    this.#alarm = this.#durableAlarm === null ? null : Math.max(this.#durableAlarm, soonest);
    this.#alarmWritten = false;
    this.#scheduleAlarm();
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

  /** Turns that had reached the disk although nobody heard of it. */
  #landSome(): void {
    while (this.#unacknowledged.length > 0 && this.#options.part.random() < 0.5)
      this.#land(this.#unacknowledged.shift() as Unacknowledged);
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
      defer: (body, ms) => this.#defer(life, body, ms),
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
        if (!life.dead && !this.#crashed) this.#changes.push(...changes);
      },
      report: (controller, key, error) => {
        if (!life.dead && !this.#crashed) this.#options.report(controller, key, error);
      },
      getAlarm: async () => this.#alarm,
      setAlarm: (at) => {
        if (life.dead || this.#crashed) return;
        this.#alarm = at;
        this.#alarmWritten = true;
        database.touch();
        this.#scheduleAlarm();
      },
    };
  }

  #defer(life: Life, body: () => void, ms = 0): void {
    if (life.dead) return;
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

  #scheduleAlarm(): void {
    const { clock, part } = this.#options;
    this.#cancelAlarm?.();
    this.#cancelAlarm = undefined;
    if (this.#alarm === null) return;
    const late = this.conditions.alarmLate > 0 ? between(part.random, 0, this.conditions.alarmLate) : 0;
    this.#cancelAlarm = clock.after(Math.max(0, this.#alarm - clock.now) + late, () => this.#ring());
  }

  /** The alarm is over only when its handler is: a death before rings it again. */
  #ring(): void {
    const { clock, part } = this.#options;
    const rung = this.#alarm;
    this.#alarm = null;
    this.#enter(async (life) => {
      try {
        await life.host.alarm();
        this.#alarmWritten = true;
        this.#options.database.touch();
        this.#beginTurn();
      } catch (error) {
        this.#failed(life, error);
        if (this.#alarm !== null || life.dead) return;
        this.#alarm = clock.now + ALARM_RETRY_MS;
        this.#alarmWritten = true;
        this.#scheduleAlarm();
      }
    });
    if (rung !== null && this.conditions.alarmTwice > 0 && part.random() < this.conditions.alarmTwice)
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
    this.#outbox.push(release);
    this.#beginTurn();
  }

  #endTurn(): void {
    this.#turnEnds = false;
    if (this.#crashed) {
      this.#crashed = false;
      return this.die("its machine went away in the middle of a turn");
    }
    const { database, clock, part } = this.#options;
    const turn = database.endTurn();
    const release = this.#outbox;
    this.#outbox = [];
    if (!turn) {
      const last = this.#unacknowledged.at(-1);
      if (last) last.release.push(...release);
      else for (const body of release) body();
      return;
    }
    const alarm = this.#alarmWritten ? this.#alarm : undefined;
    this.#alarmWritten = false;
    const waiting: Unacknowledged = { turn, changes: this.#changes.splice(0), alarm, release };
    this.#unacknowledged.push(waiting);
    this.#turnsLeft -= 1;
    if (this.#turnsLeft <= 0) {
      this.#turnsLeft = Number.POSITIVE_INFINITY;
      for (const landed of this.#unacknowledged.splice(0)) this.#land(landed);
      return this.die("it went away between two turns");
    }
    const { least, most } = this.conditions.storage;
    this.#durableAt = Math.max(this.#durableAt, clock.now + between(part.random, least, most));
    clock.after(this.#durableAt - clock.now, () => {
      if (this.#unacknowledged[0] !== waiting) return; // lost with its life
      this.#unacknowledged.shift();
      this.#land(waiting);
      for (const body of waiting.release) body();
    });
  }

  #land({ turn, changes, alarm }: Unacknowledged): void {
    this.#options.database.durable(turn);
    if (alarm !== undefined) this.#durableAlarm = alarm;
    if (changes.length > 0) this.#options.observe({ at: this.#options.clock.now, type: "commit", changes });
  }
}
