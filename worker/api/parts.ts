import type { Kinds } from "../kinds/registry.ts";
import type { Effects } from "../lib/effects.ts";
import type { MonthUsage } from "../lib/facts/usage.ts";
import type { Store } from "../storage/store.ts";
import type { Extensions } from "./aggregation/aggregation.ts";
import type { Audit } from "./audit/audit.ts";
import type { EscalationCheck } from "./auth/escalation.ts";
import type { Logins } from "./auth/logins.ts";
import type { Rbac } from "./auth/rbac.ts";
import type { Authorizer } from "./auth/rules.ts";
import type { Attempt, Caller } from "./callouts/callouts.ts";
import type { Place } from "./fairness/queues.ts";
import type { BackupParts } from "./http/backup.ts";
import type { SeenByNodes } from "./metrics/custom.ts";
import type { Usages } from "./metrics/metrics.ts";
import type { ApiRequest, ApiResult, WatchSpec } from "./request.ts";
import type { StoreView } from "./view.ts";
import type { Watches } from "./watch/watch.ts";

/** What answers requests about objects. */
export type ApiEngine = {
  handle(request: ApiRequest, attempt?: Attempt): ApiResult;
  /** Asks admission about a connection to a pod, node or service; throws its refusal. */
  connect(request: ApiRequest, attempt?: Attempt): void;
  watch(request: ApiRequest, format: WatchSpec["format"]): WatchSpec;
  /** What is stored, as parsed objects. */
  readonly view: StoreView;
};

export type ApiConfig = {
  /** Hex of the SHA-256 of the administrator's token. */
  adminTokenHash: string;
  /** PEM of the cluster's CA, for machines that join. */
  ca: string;
  /** By what they know the server; undefined where its certificate is a public one. */
  caHash?: string | undefined;
  /** Other ways in than the cluster's own credentials. */
  logins?: Logins;
};

/** Who may do what, from the cluster's own objects; shared with admission. */
export type Security = { rbac: Rbac; authorizer: Authorizer; checkEscalation: EscalationCheck };

/** What the HTTP surface is made from. */
export type AppParts = {
  engine: ApiEngine;
  kinds: Kinds;
  store: Store;
  effects: Effects;
  config: ApiConfig;
  security: Security;
  watches: Pick<Watches, "initialEvents" | "renderChange">;
  /**
   * Calls `body` once after `ms`: ends watches that the app streams itself. Without it they end after the initial
   * events; behind the edge watches are sockets, and it is not needed.
   */
  after?(ms: number, body: () => void): void;
  /** Asks webhooks. */
  ask: Caller;
  /** Asks servers of other groups. */
  extensions: Extensions;
  /** Asks nodes what they use; without it nobody knows. */
  usages?: Usages;
  /** What requests nodes have seen; absent as above. */
  traffic?: SeenByNodes;
  /** Somebody looks at figures over time: nodes that hold some back send them. */
  sendFigures?(): void;
  /** What was used this month of what is billed; absent where nothing counts it. */
  used?(): MonthUsage;
  /**
   * Runs the synchronous part of a request, together with others of the same event-loop turn, when it comes to its
   * place among them. Rejects with TooManyRequests where there is none.
   */
  batch<T>(body: () => T, place?: Place): Promise<T>;
  /** Who did what is told there; without it nobody is. */
  audit?: Audit;
  /** Signs that whoever asked may have a blob of the registry; without it nodes have none from each other. */
  ticketFor?(digest: string): Promise<string>;
  /** What backups and restores need; without it there are none. */
  backups?: BackupParts;
};
