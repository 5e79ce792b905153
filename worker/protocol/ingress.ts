/** What the Worker asks the Cluster object of a request that may be for an app, and what it hears. */
import type { Filters } from "../lib/filters.ts";
import type { StreamRequest } from "./link.ts";

export type EdgeQuestion = {
  host: string;
  path: string;
  isSecure: boolean;
  method?: string;
  /** With its question mark. */
  query?: string;
  /** Names in small letters. */
  headers?: [name: string, value: string][];
  /** Endpoints that could not be reached, as `ADDRESS:PORT`. */
  tried: string[];
  /** How long it has waited for what is scaled to zero, ms. */
  waitedMs: number;
  /** A browser loads a page by it. */
  isPage: boolean;
};

export type EdgeAnswer =
  /** Not for an app: this one alone, those for this host as long as no Ingress has it, or all for good. */
  | { to: "api"; counts: "once" | "meanwhile" | "always" }
  /** By the node's Relay; an answer has to begin within `timeoutMs`, 0 for no limit. `prefix` is what the rule was met by. */
  | { to: "app"; grant: { node: string; stream: StreamRequest }; timeoutMs: number; filters?: Filters; prefix?: string }
  | { to: "https" }
  /** Answered by these alone. */
  | { to: "elsewhere"; status: number; headers: [name: string, value: string][] }
  /** What it is for is being scaled up: it is to be asked again at once. */
  | { to: "wait" }
  /** `retryAfter` in seconds; a `page` says by itself that it starts, in place of the message. */
  | { to: "nobody"; status: number; message: string; retryAfter?: number; page?: true };
