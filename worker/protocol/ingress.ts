/** What the Worker asks the Cluster object of a request that may be for an app, and what it hears. */
import type { StreamRequest } from "./link.ts";

export type EdgeQuestion = {
  host: string;
  path: string;
  isSecure: boolean;
  /** Endpoints that could not be reached, as `ADDRESS:PORT`. */
  tried: string[];
};

export type EdgeAnswer =
  /** Not for an app: this one alone, those for this host as long as no Ingress has it, or all for good. */
  | { to: "api"; counts: "once" | "meanwhile" | "always" }
  /** By the node's Relay; an answer has to begin within `timeoutMs`, 0 for no limit. */
  | { to: "app"; grant: { node: string; stream: StreamRequest }; timeoutMs: number }
  | { to: "https" }
  | { to: "nobody"; status: number; message: string };
