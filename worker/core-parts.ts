/** What a cluster is given: by the Cluster object, or by a simulator. */
import type { Logins } from "./api/auth/logins.ts";
import type { Past } from "./api/backup/rewind.ts";
import type { CertificateAndKey, Certificates } from "./lib/certificates.ts";
import type { ClusterConfig } from "./lib/config.ts";
import type { Effects } from "./lib/effects.ts";
import type { MonthUsage } from "./lib/facts/usage.ts";
import type { NodeSocket } from "./link/link.ts";
import type { Outside } from "./outside.ts";
import type { Store } from "./storage/store.ts";
import type { WatchSocket } from "./watchers.ts";

export type Platform = {
  nodeSockets(): readonly NodeSocket[];
  /** Those among them that may be this node's. */
  nodeSocketsOf(node: string): readonly NodeSocket[];
  watchSockets(): readonly WatchSocket[];
  /** Runs `body` in a later turn of the event loop, soon or after so many ms. */
  defer(body: () => void, ms?: number): void;
  /** The way to webhooks and extension servers; absent where none can be reached. */
  outside?: Outside;
  /** Wakes the object at this time (ms), or never. */
  wakeAt(due: number | undefined): void;
  /** The way back to a moment, where the platform has one. */
  past?: Past;
  /** What was used this month, where anybody bills it. */
  used?(): MonthUsage;
  /** All of the storage was replaced: a new memory of it is to take over. */
  restored(): void;
  /** What a controller could not do; it is tried again. */
  report(controller: string, key: string, error: unknown): void;
};

export type CoreParts = {
  store: Store;
  effects: Effects;
  config: ClusterConfig;
  adminTokenHash: string;
  /** By what machines that join know the server: `SKERRY_CA_HASH` of `env.ts`. */
  caHash?: string | undefined;
  /** Other ways in than the cluster's own credentials. */
  logins?: Logins;
  authority: CertificateAndKey;
  /** What signs the certificate by which extension servers know the API. */
  frontProxy: CertificateAndKey;
  certificates: Pick<Certificates, "issueServer" | "issueClient">;
  clusterId: string;
  limits: CoreLimits;
  platform: Platform;
};

export type CoreLimits = {
  /** What controllers may do in one turn; the rest waits for the next, behind requests that came meanwhile. */
  turnReconciles: number;
  turnMs: number;
  /** The change log: how many revisions to keep, and how many rows one turn may compact. */
  keepRevisions: number;
  compactRows: number;
  compactEveryRevisions: number;
};

export const LIMITS: CoreLimits = {
  turnReconciles: 100,
  turnMs: 8,
  keepRevisions: 10_000,
  compactRows: 200,
  compactEveryRevisions: 100,
};
