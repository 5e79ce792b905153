/** The agent's side of the node's ingress proxy: starts it while there is something to serve, and tells it what. */
import { mkdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { CoreV1NodeCondition } from "../../worker/kinds/generated/types.ts";
import { NODE_CONDITION } from "../../worker/kinds/ingress/class.ts";
import { timestamp } from "../../worker/lib/effects.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import type { NodeTraffic } from "../../worker/protocol/link.ts";
import { addTraffic } from "../../worker/protocol/traffic.ts";
import type { Timers } from "../effects.ts";
import { spawn } from "../process.ts";
import { programPath } from "../program.ts";
import { VERSION } from "../version.ts";
import { configOf, type IngressObjects, type Ports, type ProxyConfig } from "./config.ts";
import { controlFolder, controlSocket, type FromProxy, hear, type Listening, say } from "./control.ts";
import type { Counts, Taken } from "./counts.ts";

const LOOK_EVERY_MS = 50;
const START_TIMEOUT_MS = 30_000;
/** How long it may take to say what it has counted. */
const ANSWER_MS = 3_000;
/** One that ends again and again is started so seldom. */
const AGAIN_MS = 2_000;

type ProxyAnswer = Extract<FromProxy, { answers: number }>;

const NOWHERE: Listening = { http: 0, https: 0, problems: [], certificates: [] };

const FLAGS = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=4"];

export type IngressParts = {
  home: string;
  ports: Ports;
  timers: Timers;
  /** What it listens on has changed, or can no longer be listened on. */
  onChange(): void;
  /** Told once while it lasts. */
  warn(reason: "IngressPortTaken" | "IngressCertificateInvalid", message: string): void;
  log(message: string): void;
  /** Requests wait for a Service that has no endpoints. Said again while they do. */
  wake(namespace: string, service: string): void;
  /** Requests that come by the edge. */
  edge: Counts;
  /** Of this agent. */
  version?: string;
};

export class Ingress {
  readonly #parts: IngressParts;
  readonly #folder: string;
  #wanted: ProxyConfig | undefined;
  /** What that was made from. */
  #objects: readonly unknown[] = [];
  /** As it was last told, on the present connection. */
  #told = "";
  #toldCertificates = "";
  #connection: Socket | undefined;
  #opening = false;
  #stopped = false;
  #endedLately = false;
  /** Who waits for what the proxy has counted, by number. */
  readonly #asked = new Map<number, (answer?: ProxyAnswer) => void>();
  #questions = 0;
  /** Undefined until that is known: a proxy may be there from before. */
  #listening: Listening | undefined;

  constructor(parts: IngressParts) {
    this.#parts = parts;
    this.#folder = controlFolder(parts.home);
  }

  /** The whole of what is wanted. Returns at once. */
  sync(objects: IngressObjects): void {
    const { ingresses, classes, services, slices, secrets, gateways } = objects;
    if (ingresses.length === 0 && !gateways && this.#isResting) return;
    const all = [...ingresses, ...classes, ...services.values(), ...slices, ...secrets.values(), gateways];
    const isSame = this.#wanted && all.length === this.#objects.length && all.every((o, i) => o === this.#objects[i]);
    if (isSame && this.#connection) return;
    this.#objects = all;
    try {
      this.#wanted = configOf(objects, this.#parts.ports);
    } catch (error) {
      return this.#parts.log(`ingress: ${errorText(error)}`); // what is served stays
    }
    if (!this.#wanted && this.#isResting) return;
    if (this.#connection) this.#tell(this.#connection);
    else void this.#open();
  }

  /** There is no proxy, as is known: one that an earlier agent has left has to be told, or it would go on serving. */
  get #isResting(): boolean {
    return this.#connection === undefined && this.#told === "null";
  }

  /** The proxy goes on. */
  stop(): void {
    this.#stopped = true;
    this.#connection?.destroy();
  }

  /** The Node's condition; undefined while there was never an Ingress. `before` are those last told. */
  condition(before: readonly CoreV1NodeCondition[], now: number): CoreV1NodeCondition | undefined {
    const old = before.find(({ type }) => type === NODE_CONDITION);
    if (!this.#listening) return old;
    const { status, reason, message } = wordsOf(this.#listening);
    if (reason === IDLE && !old) return undefined;
    return {
      type: NODE_CONDITION,
      status,
      lastHeartbeatTime: timestamp(now),
      lastTransitionTime: (old?.status === status && old.lastTransitionTime) || timestamp(now),
      reason,
      message,
    };
  }

  /** What requests the node has seen, on its network and by the edge. */
  async traffic(): Promise<NodeTraffic> {
    const edge = this.#parts.edge.figures();
    if (this.#isResting) return edge;
    const answer = await this.#askProxy("ask");
    const own = answer && "traffic" in answer ? answer.traffic : undefined;
    // What an unknown proxy has seen may be anything, up to this moment.
    return own ? addTraffic(edge, own) : { ...edge, countedMs: 0, isPartial: true };
  }

  /** What was counted since it was last asked so, on the node's network and by the edge. */
  async taken(): Promise<Taken[]> {
    const edge = this.#parts.edge.take();
    const answer = await this.#askProxy("take");
    return [edge, ...(answer && "taken" in answer ? [answer.taken] : [])];
  }

  #askProxy(what: "ask" | "take"): Promise<ProxyAnswer | undefined> {
    const connection = this.#connection;
    if (!connection) return Promise.resolve(undefined);
    const number = ++this.#questions;
    const { promise, resolve } = Promise.withResolvers<ProxyAnswer | undefined>();
    const cancel = this.#parts.timers.after(ANSWER_MS, () => this.#asked.get(number)?.());
    this.#asked.set(number, (answer) => {
      cancel();
      this.#asked.delete(number);
      resolve(answer);
    });
    say(connection, what === "ask" ? { ask: number } : { take: number });
    return promise;
  }

  #tell(connection: Socket): void {
    const { certificates = [], ...config } = this.#wanted ?? {};
    const [text, certificatesText] = [JSON.stringify(this.#wanted ? config : null), JSON.stringify(certificates)];
    const areNew = certificatesText !== this.#toldCertificates;
    if (text === this.#told && !areNew) return;
    this.#told = text;
    this.#toldCertificates = certificatesText;
    say(connection, {
      config: this.#wanted ? { ...this.#wanted, certificates: areNew ? certificates : undefined } : null,
    });
  }

  async #open(): Promise<void> {
    if (this.#opening || this.#stopped) return;
    this.#opening = true;
    try {
      const there = await dial(this.#folder);
      // One that an earlier agent has left may be of another version; the next will be of this.
      if (there) say(there, { version: this.#parts.version ?? VERSION });
      const connection = there ?? (this.#wanted && (await this.#begin()));
      if (connection) this.#use(connection);
      else this.#rest();
    } catch (error) {
      this.#parts.log(`ingress: ${errorText(error)}`);
      this.#again();
    } finally {
      this.#opening = false;
    }
  }

  /** There is no proxy, and none is needed. */
  #rest(): void {
    this.#told = "null";
    if (this.#listening) return;
    this.#listening = NOWHERE;
    this.#parts.onChange();
  }

  #use(connection: Socket): void {
    this.#connection = connection;
    this.#told = "";
    this.#toldCertificates = "";
    connection.unref();
    connection.once("close", () => {
      this.#connection = undefined;
      for (const settle of this.#asked.values()) settle();
      this.#told = this.#wanted ? "" : "null";
      if (this.#wanted) this.#again();
    });
    hear<FromProxy>(connection, (message) => {
      if ("log" in message) this.#parts.log(message.log);
      else if ("wake" in message) this.#parts.wake(...parts(message.wake));
      else if ("answers" in message) this.#asked.get(message.answers)?.(message);
      else this.#heard(message.listening);
    });
    this.#tell(connection);
  }

  #heard(listening: Listening): void {
    const before = this.#listening;
    if (JSON.stringify(listening) === JSON.stringify(before)) return;
    this.#listening = listening;
    const { log, warn, onChange } = this.#parts;
    const { http, https, problems, certificates } = listening;
    log([`ingress: ports ${http} and ${https}`, ...problems, ...certificates].join("; "));
    for (const problem of problems) if (!before?.problems.includes(problem)) warn("IngressPortTaken", problem);
    for (const problem of certificates)
      if (!before?.certificates.includes(problem)) warn("IngressCertificateInvalid", problem);
    onChange();
  }

  /** At once where it has not ended just before: a proxy of another version makes room so. */
  #again(): void {
    if (this.#stopped) return;
    const { after } = this.#parts.timers;
    after(this.#endedLately ? AGAIN_MS : 0, () => void this.#open());
    if (!this.#endedLately)
      after(10 * AGAIN_MS, () => {
        this.#endedLately = false;
      });
    this.#endedLately = true;
  }

  async #begin(): Promise<Socket> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    let ended = false;
    const program = [...FLAGS, programPath("ingress/proxy"), this.#folder];
    const child = spawn(process.execPath, program, { detached: true, stdio: "ignore" });
    const end = () => {
      ended = true;
    };
    child.on("error", end).on("exit", end).unref();
    for (let waited = 0; waited < START_TIMEOUT_MS && !ended; waited += LOOK_EVERY_MS) {
      await this.#parts.timers.sleep(LOOK_EVERY_MS);
      const connection = await dial(this.#folder);
      if (connection) return connection;
    }
    throw new Error("the proxy does not start");
  }
}

function parts(key: string): [namespace: string, name: string] {
  const slash = key.indexOf("/");
  return [key.slice(0, slash), key.slice(slash + 1)];
}

const IDLE = "NoIngress";

function wordsOf({
  http,
  https,
  problems,
}: Listening): Required<Pick<CoreV1NodeCondition, "status" | "reason" | "message">> {
  const ports = [http && `port ${http} for HTTP`, https && `port ${https} for HTTPS`].filter(Boolean).join(", ");
  const message = [ports, ...problems].filter(Boolean).join("; ");
  if (ports) return { status: "True", reason: problems.length ? "PortTaken" : "Listening", message };
  if (problems.length) return { status: "False", reason: "PortTaken", message };
  return { status: "False", reason: IDLE, message: "there is no Ingress for this node to serve" };
}

function dial(folder: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const connection = connect(controlSocket(folder));
    connection.once("connect", () => resolve(connection));
    connection.on("error", () => resolve(undefined));
  });
}

/** Ends the proxy of a node that is taken down; resolves when it is gone. */
export async function endIngress(home: string): Promise<void> {
  const connection = await dial(controlFolder(home));
  if (!connection) return;
  say(connection, { end: true });
  await new Promise((resolve) => connection.once("close", resolve));
}
