/** From a request and what became of it to what the audit log is told. */
import type { Effects } from "../../lib/effects.ts";
import { ApiError, type Status } from "../../lib/status.ts";
import type { Access } from "../auth/access.ts";
import type { Presented } from "../auth/authenticate.ts";
import { reasonOf } from "../auth/authorize.ts";
import type { RequestInfo } from "../http/request-info.ts";
import type { ApiResult, User } from "../request.ts";
import type { Audit } from "./audit.ts";
import type { Answered, AuditNotes } from "./event.ts";
import { type Recording, recordingOf } from "./policy.ts";

/** A request that is to be recorded. */
export type Draft = AuditNotes & {
  readonly request: Request;
  readonly info: RequestInfo;
  readonly recording: Exclude<Recording, "none">;
  readonly sender: User | undefined;
  readonly actor: User | undefined;
  readonly received: number;
};

export type Outcome = { code?: number; status?: Status; stage?: Answered["stage"] };

const DECISION = "authorization.k8s.io/decision";
const REASON = "authorization.k8s.io/reason";
const READS = new Set(["get", "list", "watch"]);

const isFailure = (code: number | undefined) => code !== undefined && code >= 400;
const isRefusal = (code: number | undefined) => code === 401 || code === 403;

export const outcomeOf = (result: ApiResult): Outcome =>
  result.type === "status" ? { code: result.code, status: result.body as Status } : { code: result.code };

/** Undefined where that is refused: a 401 is of nobody, and not everyone may act as another. */
function attempted(find: () => User): User | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}

export class Recorder {
  readonly #audit: Audit | undefined;
  readonly #access: Access;
  readonly #effects: Effects;
  readonly #ids = new WeakMap<Request, string>();

  constructor(audit: Audit | undefined, access: Access, effects: Effects) {
    this.#audit = audit;
    this.#access = access;
    this.#effects = effects;
  }

  /** The request's Audit-ID: the client's own, or one that is made for it. */
  idOf(request: Request): string {
    const own = request.headers.get("audit-id") || this.#ids.get(request);
    if (own) return own;
    const id = this.#effects.uid();
    this.#ids.set(request, id);
    return id;
  }

  /** Absent where nothing is to be recorded: of most requests. */
  begin(request: Request, info: RequestInfo, actor: User, presented: Presented | undefined): Draft | undefined {
    if (!this.#audit) return undefined;
    const impersonates = this.#access.impersonates(request);
    const sender = impersonates ? this.#access.sender(request, presented) : actor;
    const recording = recordingOf(info, sender, impersonates);
    if (recording === "none") return undefined;
    const received = this.#effects.now();
    return {
      request,
      info,
      recording,
      sender,
      actor: impersonates ? actor : undefined,
      received,
      annotations: {},
    };
  }

  /** The request was allowed, and why. */
  allowed(draft: Draft, reason: string): void {
    draft.annotations[DECISION] = "allow";
    draft.annotations[REASON] = reason;
  }

  /** Runs what answers the request, within its turn. Refusals of those who may not ask are left to `refused`. */
  during<T>(draft: Draft | undefined, body: () => T, outcome: (done: T) => Outcome | undefined): T {
    if (!draft) return body();
    try {
      const done = body();
      const known = outcome(done);
      if (known) this.ended(draft, known);
      return done;
    } catch (error) {
      if (error instanceof ApiError && !isRefusal(error.code))
        this.ended(draft, { code: error.code, status: error.status() });
      throw error;
    }
  }

  ended(draft: Draft, { code, status, stage }: Outcome): void {
    const audit = this.#audit as Audit;
    const { request, info, sender, actor, received } = draft;
    const answered: Answered = {
      request,
      info,
      sender,
      actor,
      received,
      now: this.#effects.now(),
      auditId: this.idOf(request),
      code,
      status,
      stage,
      notes: draft,
    };
    if (draft.recording === "counted" || isFailure(code)) audit.count(answered);
    else if (READS.has(info.verb)) audit.recordLate(answered);
    else audit.record(answered);
  }

  /** Someone is not known, or may not do what was asked. */
  async refused(request: Request, info: RequestInfo, code: number, error?: unknown): Promise<void> {
    if (!this.#audit || !isRefusal(code)) return;
    const presented = await this.#access.present(request);
    const sender = attempted(() => this.#access.sender(request, presented));
    const actor = this.#access.impersonates(request) && attempted(() => this.#access.actor(request, presented));
    const reason = reasonOf(error);
    const annotations: Record<string, string> = reason === undefined ? {} : { [DECISION]: "forbid", [REASON]: reason };
    const received = this.#effects.now();
    const draft: Draft = {
      request,
      info,
      recording: "counted",
      sender,
      actor: actor || undefined,
      received,
      annotations,
    };
    this.ended(draft, { code, ...(error instanceof ApiError && { status: error.status() }) });
  }
}
