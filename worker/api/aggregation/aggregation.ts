/**
 * Groups that other servers answer for, as APIServices say.
 * https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/
 */
import { type Extension, REGISTRATIONS, type Registration } from "../../kinds/apiregistration/api-service.ts";
import { foreignGroupVersion } from "../../kinds/groups.ts";
import type { ProxyRequest } from "../../protocol/link.ts";
import { serviceGrant } from "../http/proxy.ts";
import type { User } from "../request.ts";
import type { StoreView } from "../view.ts";
import { remoteHeaders } from "./identity.ts";

/** What a server is asked by the cluster itself. */
export type Question = { path: string; accept: string; as: User; timeoutMs: number; anyCertificate?: boolean };
export type Reply = { status: number; headers: Headers; text: string };

/** The way to extension servers. */
export type Extensions = {
  /** Rejects when there is no answer. */
  get(extension: Extension, question: Question): Promise<Reply>;
  /** Told of every request for the server, so that what is known of it does not grow old while it is in use. */
  used(extension: Extension): void;
};

/** A request may go on to a server: by which node, and what is said of who asks. */
export type Forward = {
  grant: { node: string; stream: ProxyRequest };
  headers: [name: string, value: string][];
};

export type AggregationParts = {
  view: StoreView;
  effects: { random(): number; uid(): string };
  extensions: Extensions;
};

export class Aggregation {
  readonly #parts: AggregationParts;

  constructor(parts: AggregationParts) {
    this.#parts = parts;
  }

  registrations(): readonly Registration[] {
    return [...this.#parts.view.digest(REGISTRATIONS).values()];
  }

  /** The server to ask for what lies at a path; undefined where it is this one. */
  serverOf(pathname: string): Extension | undefined {
    const asked = foreignGroupVersion(pathname);
    return asked && this.#parts.view.digest(REGISTRATIONS).get(`/${asked.version}.${asked.group}`)?.extension;
  }

  /** How a request of this user reaches the server; undefined while it cannot. */
  forward(extension: Extension, user: User): Forward | undefined {
    const { view, effects, extensions } = this.#parts;
    extensions.used(extension);
    if (!extension.available) return undefined;
    try {
      return { grant: serviceGrant(extension, view, effects), headers: remoteHeaders(user) };
    } catch {
      return undefined; // its endpoints have just gone
    }
  }
}
