/**
 * Sends what containers print to the control plane, where a pod says that it is to be kept (`worker/lib/kept-logs.ts`): in
 * portions, of which each is written down before it goes. So what was sent when the agent was killed goes again by the
 * same number, and is there once.
 */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import { KEEP_LOGS } from "../../worker/lib/kept-logs.ts";
import type { Timers } from "../effects.ts";
import type { Answer } from "../local/http.ts";
import { type Attempt, attemptsOf, type PodMemory } from "../pods/memory.ts";
import { isStatic } from "../static/annotations.ts";
import { bytesIn, filesOf, nextSpan, PORTION_BYTES } from "./reading.ts";
import { type LogRecord, LogRecords } from "./records.ts";

export type KeptPod = { pod: CoreV1Pod; memory: PodMemory };

export type KeptLogsParts = {
  home: string;
  /** In ms since the epoch. */
  now(): number;
  timers: Pick<Timers, "after" | "sleep">;
  /** By the node's credential, or by `token`. */
  send(method: string, path: string, sending: { bytes?: Uint8Array; token?: string }): Promise<Answer>;
  log(message: string): void;
};

/** How often there is a look at what is new. */
const LOOK_EVERY_MS = 5_000;
/** A portion that is not full goes when its first line is so old. */
const PORTION_MS = 60_000;
/** Where nothing could be sent, there is another try after so long. */
const FAILED_MS = 30_000;
/** A pod whose logs are refused is asked for again so seldom, and a log that cannot be sent is tried again. */
const REFUSED_MS = 600_000;
/** The removal of a container waits at most so long for the leave to send what it printed. */
const REMOVAL_MS = 5_000;

/** What the control plane means when it refuses leave; all else may be otherwise at the next try. */
const REFUSALS = [400, 403, 404];

const compress = promisify(gzip);

const isKept = ({ metadata }: CoreV1Pod) => metadata.annotations?.[KEEP_LOGS] !== undefined;

/**
 * A static pod by the pod that stands for it in the API: that one says whether its logs are to be kept, and has a uid that
 * none before it had, where the same manifest gives the same again. Undefined while there is none.
 */
function inApi(state: KeptPod, mirrors: ReadonlyMap<string, CoreV1Pod>): KeptPod | undefined {
  if (!isStatic(state.pod)) return state;
  const pod = mirrors.get(state.memory.uid);
  return pod && { pod, memory: { ...state.memory, uid: pod.metadata.uid ?? "" } };
}

type Tell = (pod: CoreV1Pod, message: string) => void;

export class KeptLogs {
  readonly #parts: KeptLogsParts;
  readonly #records: LogRecords;
  /** By pods' uids, when to ask again. */
  readonly #refused = new Map<string, number>();
  /** By containers' ids, when to try again. */
  readonly #failed = new Map<string, number>();
  /** By containers' ids. */
  readonly #sending = new Set<string>();
  #pods: () => readonly KeptPod[] = () => [];
  #mirrors: () => ReadonlyMap<string, CoreV1Pod> = () => new Map();
  /** Told why a pod's logs are not kept. */
  #tell: Tell = () => {};
  #failedUntil = 0;
  #cancel = () => {};
  #stopped = false;

  constructor(parts: KeptLogsParts) {
    this.#parts = parts;
    this.#records = new LogRecords(parts.home);
  }

  /** `mirrors` are the pods that stand for static ones, by the uids of these. */
  start(node: { pods(): readonly KeptPod[]; mirrors(): ReadonlyMap<string, CoreV1Pod>; tell: Tell }): void {
    this.#pods = node.pods;
    this.#mirrors = node.mirrors;
    this.#tell = node.tell;
    this.#later();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #later(): void {
    this.#cancel = this.#parts.timers.after(LOOK_EVERY_MS, () => {
      void this.look().finally(() => this.#stopped || this.#later());
    });
  }

  /** Sends what is to go by now. */
  async look(): Promise<void> {
    if (this.#parts.now() < this.#failedUntil) return;
    try {
      await this.#sendAll();
    } catch (error) {
      if (!this.#failedUntil) this.#parts.log(`logs are not sent: ${errorText(error)}`);
      this.#failedUntil = this.#parts.now() + FAILED_MS;
      return;
    }
    this.#failedUntil = 0;
  }

  async #sendAll(): Promise<void> {
    const mirrors = this.#mirrors();
    const known = this.#pods().flatMap((state) => inApi(state, mirrors) ?? []);
    const present = new Map(known.map((state) => [state.memory.uid, state]));
    for (const { pod, memory } of present.values())
      if (isKept(pod)) for (const attempt of attemptsOf(memory)) this.#begin(memory, attempt);
    for (const { id, uid } of this.#records.all()) {
      const state = present.get(uid);
      const attempt = state && attemptsOf(state.memory).find((candidate) => candidate.id === id);
      await this.#sendUnlessFaulty(id, state?.pod, attempt === undefined || attempt.exit !== undefined);
    }
  }

  /** What is wrong with one log is no matter of the others. */
  async #sendUnlessFaulty(id: string, pod: CoreV1Pod | undefined, isOver: boolean): Promise<void> {
    if ((this.#failed.get(id) ?? 0) > this.#parts.now()) return;
    this.#failed.delete(id);
    try {
      await this.#send(id, pod, isOver);
    } catch (error) {
      if (error instanceof Unanswered) throw error;
      this.#failed.set(id, this.#parts.now() + REFUSED_MS);
      this.#parts.log(`what ${id.slice(0, 12)} prints is not sent: ${errorText(error)}`);
    }
  }

  /** Containers of a pod are about to be removed: what they printed and is not sent yet stays. */
  async removing(state: KeptPod, ids: readonly string[]): Promise<void> {
    const known = inApi(state, this.#mirrors());
    for (const id of ids)
      try {
        const attempt =
          known && isKept(known.pod) ? attemptsOf(known.memory).find((candidate) => candidate.id === id) : undefined;
        const record = (attempt && known && this.#begin(known.memory, attempt)) ?? this.#records.get(id);
        if (!record || record.removedAt !== undefined) continue;
        await this.#records.hold(id, record.log, this.#parts.now());
        // When its pod is gone nobody can say any more whose it was.
        if (!record.grant)
          await Promise.race([this.#granted(record, known?.pod ?? state.pod), this.#parts.timers.sleep(REMOVAL_MS)]);
      } catch (error) {
        this.#parts.log(`what ${id.slice(0, 12)} printed last is not kept: ${errorText(error)}`);
      }
  }

  #begin({ uid, namespace, name, containers }: PodMemory, attempt: Attempt): LogRecord | undefined {
    const known = this.#records.get(attempt.id);
    if (known || !attempt.logPath) return known;
    const [container] =
      Object.entries(containers).find(([, { current, previous }]) => [current, previous].includes(attempt)) ?? [];
    if (container === undefined) return undefined;
    const { id, number, logPath: log } = attempt;
    const grant = this.#records.all().find((other) => other.uid === uid)?.grant;
    const record = { id, namespace, pod: name, uid, container, attempt: number, log, next: 0, ...(grant && { grant }) };
    this.#records.save(record);
    return record;
  }

  /** `isOver`: nothing more will be printed. */
  async #send(id: string, pod: CoreV1Pod | undefined, isOver: boolean): Promise<void> {
    if (this.#sending.has(id)) return;
    this.#sending.add(id);
    try {
      for (let more = true; more && !this.#stopped; ) more = await this.#sendOne(id, pod, isOver);
    } finally {
      this.#sending.delete(id);
    }
  }

  /** Whether there may be more to send at once. */
  async #sendOne(id: string, pod: CoreV1Pod | undefined, isOver: boolean): Promise<boolean> {
    const record = this.#records.get(id);
    if (!record) return false;
    const span = record.pending ?? (await nextSpan(record.log, record.sent));
    const bytes = span && (await bytesIn(record.log, span));
    if (!span || !bytes) {
      const now = this.#records.get(id);
      if (now?.log !== record.log) return true; // its container is being removed, and it lies elsewhere
      if (record.pending) {
        // It was gone before it could go, or has arrived.
        this.#records.change(id, { next: record.next + 1, pending: undefined });
        return true;
      }
      const isGone = record.removedAt !== undefined || (await filesOf(record.log)).length === 0;
      if (isOver && isGone) this.#records.remove(id);
      return false;
    }
    const { first, last } = timesOf(bytes);
    const isFull = bytes.length > PORTION_BYTES / 2;
    if (!isFull && !isOver && record.pending === undefined && this.#parts.now() - first < PORTION_MS) {
      if (!record.grant) await this.#granted(record, pod);
      return false;
    }
    const grant = record.grant ?? (await this.#granted(record, pod));
    if (grant === undefined) return false;
    this.#records.change(id, { pending: span });
    const path = `${pathOf(record)}/${record.uid}/${record.container}/${record.attempt}/${record.next}`;
    const sending = { bytes: await compress(bytes), token: grant };
    const { code, text } = await this.#ask("PUT", `${path}?first=${first}&last=${last}`, sending);
    if (code === 401) {
      // It is over, or sealed under a secret that is not there any more.
      this.#records.change(id, { grant: undefined });
      return false;
    }
    // What will never be taken is left out, or nothing after it would be.
    if (NEVER_TAKEN.includes(code))
      this.#parts.log(`some of what ${id.slice(0, 12)} printed is not kept: ${code} ${text.slice(0, 200)}`);
    else if (code !== 200) throw new Error(`${code} ${text.slice(0, 200)}`);
    this.#records.change(id, { sent: span.to, next: record.next + 1, pending: undefined });
    return true;
  }

  /** The leave to send what the pod prints; undefined where there is none now. */
  async #granted({ id, uid, namespace, pod: name, removedAt }: LogRecord, pod: CoreV1Pod | undefined) {
    if ((this.#refused.get(uid) ?? 0) > this.#parts.now()) return undefined;
    const answer = await this.#ask("POST", `${pathOf({ namespace, pod: name })}/grant?uid=${uid}`, {});
    const { grant } = answer.body;
    if (answer.code === 200 && typeof grant === "string") {
      this.#refused.delete(uid);
      this.#records.change(id, { grant });
      return grant;
    }
    if (!REFUSALS.includes(answer.code)) throw new Error(`${answer.code} ${answer.text.slice(0, 200)}`);
    // The pod is not known any more, nor is what it printed.
    if (pod === undefined || removedAt !== undefined) this.#records.remove(id);
    this.#refused.set(uid, this.#parts.now() + REFUSED_MS);
    if (pod) this.#tell(pod, `logs are not kept: ${answer.body.message ?? answer.text.slice(0, 200)}`);
    return undefined;
  }

  async #ask(...request: Parameters<KeptLogsParts["send"]>): Promise<Answer> {
    const answer = await this.#parts.send(...request).catch((error: unknown) => {
      throw new Unanswered(errorText(error));
    });
    if (answer.code >= 500 || answer.code === 429) throw new Unanswered(`${answer.code} ${answer.text.slice(0, 200)}`);
    return answer;
  }
}

/** Nothing can be sent now, of whichever log. */
class Unanswered extends Error {}

const NEVER_TAKEN = [400, 413];

const pathOf = ({ namespace, pod }: Pick<LogRecord, "namespace" | "pod">) => `/skerry/logs/${namespace}/${pod}`;

/** When the first and the last of some lines were printed, ms since the epoch. */
function timesOf(lines: Buffer): { first: number; last: number } {
  const text = lines.toString("latin1");
  const timeOf = (line: string) => Date.parse(/"time":"([^"\\]+)"(?:,"bytes":"[^"]*")?\}$/.exec(line)?.[1] ?? "");
  const first = timeOf(text.slice(0, text.indexOf("\n")));
  const last = timeOf(text.slice(text.lastIndexOf("\n", text.length - 2) + 1, -1));
  return { first: first || 1, last: last || first || 1 };
}
