/**
 * Who may ask a node what, of those who come by its own port. The cluster's API says both, as it does for kubelets.
 * https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/
 */
import { createHash } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { Api } from "../volumes/tokens.ts";

export type Identity = { name: string; uid?: string; groups: readonly string[]; extra?: Record<string, string[]> };

const IDENTIFIED_MS = 2 * 60_000;
const ALLOWED_MS = 5 * 60_000;
const DENIED_MS = 30_000;
const MOST_KEPT = 1_000;
/** Whoever reaches the port can make up tokens, and the cluster is not to be kept busy with them. */
const MOST_REVIEWS = 300;
const REVIEWS_MS = 60_000;

/** Answers that are good for a while. */
class Kept<T> {
  readonly #now: () => number;
  readonly #entries = new Map<string, { until: number; value: T }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.until > this.#now() ? entry.value : undefined;
  }

  keep(key: string, value: T, ms: number): T {
    if (this.#entries.size >= MOST_KEPT) this.#entries.clear();
    this.#entries.set(key, { until: this.#now() + ms, value });
    return value;
  }
}

const VERBS: Readonly<Record<string, string>> = {
  DELETE: "delete",
  GET: "get",
  PATCH: "patch",
  POST: "create",
  PUT: "update",
};

const isBelow = (path: string, root: string) => path === root || path.startsWith(`${root}/`);

/** What has a right of its own beside the right to everything else. */
const FINE: readonly [string, string][] = [
  ["/pods", "pods"],
  ["/healthz", "healthz"],
  ["/configz", "configz"],
  ["/runningpods", "pods"],
];
const OWN: readonly [string, string][] = [
  ["/stats", "stats"],
  ["/metrics", "metrics"],
  ["/logs", "log"],
  ["/checkpoint", "checkpoint"],
  ["/statusz", "statusz"],
  ["/flagz", "configz"],
];

/** The subresources of the node any of which gives the right to a path. */
export function subresourcesOf(path: string): string[] {
  const of = (table: readonly [string, string][]) => table.find(([root]) => isBelow(path, root))?.[1];
  const fine = of(FINE);
  return [...(fine === undefined ? [] : [fine]), of(OWN) ?? "proxy"];
}

type Subject = { CN?: string | string[]; O?: string | string[] };

export class Access {
  readonly #api: Api;
  readonly #node: string;
  readonly #identities: Kept<Identity | null>;
  readonly #decisions: Kept<boolean>;
  readonly #now: () => number;
  #reviews = { since: 0, count: 0 };

  constructor(parts: { node: string; api: Api; now(): number }) {
    this.#node = parts.node;
    this.#api = parts.api;
    this.#now = parts.now;
    this.#identities = new Kept(parts.now);
    this.#decisions = new Kept(parts.now);
  }

  /** By a certificate that the cluster signed, else by a token. Undefined for nobody that is known; rejects when nobody can say. */
  async identify(
    socket: Pick<TLSSocket, "authorized" | "getPeerCertificate">,
    authorization = "",
  ): Promise<Identity | undefined> {
    const shown = socket.authorized
      ? identityOf(socket.getPeerCertificate().subject as Subject | undefined)
      : undefined;
    if (shown) return shown;
    const token = /^bearer +(\S+)$/i.exec(authorization.trim())?.[1];
    if (token === undefined) return undefined;
    const key = createHash("sha256").update(token).digest("base64");
    const known = this.#identities.get(key);
    if (known !== undefined) return known ?? undefined;
    return this.#identities.keep(key, await this.#review(token), IDENTIFIED_MS) ?? undefined;
  }

  async #review(token: string): Promise<Identity | null> {
    const now = this.#now();
    if (now - this.#reviews.since >= REVIEWS_MS) this.#reviews = { since: now, count: 0 };
    if (++this.#reviews.count > MOST_REVIEWS) throw new Error("too many tokens that are not known");
    const { status } = await this.#ask<{ status?: TokenStatus }>("authentication.k8s.io", "tokenreviews", {
      kind: "TokenReview",
      spec: { token },
    });
    if (!status?.authenticated || !status.user?.username) return null;
    const { username, uid, groups = [], extra } = status.user;
    return { name: username, groups, ...(uid && { uid }), ...(extra && { extra }) };
  }

  /** Whether any of the subresources gives the right. Rejects when nobody can say. */
  async allows(user: Identity, method: string, subresources: readonly string[]): Promise<boolean> {
    for (const subresource of subresources)
      if (await this.#allowsOne(user, VERBS[method] ?? "", subresource)) return true;
    return false;
  }

  async #allowsOne({ name, uid, groups, extra }: Identity, verb: string, subresource: string): Promise<boolean> {
    const resourceAttributes = { verb, version: "v1", resource: "nodes", subresource, name: this.#node };
    const spec = { user: name, uid, groups, extra, resourceAttributes };
    const key = JSON.stringify(spec);
    const known = this.#decisions.get(key);
    if (known !== undefined) return known;
    const { status } = await this.#ask<{ status?: { allowed?: boolean } }>(
      "authorization.k8s.io",
      "subjectaccessreviews",
      {
        kind: "SubjectAccessReview",
        spec,
      },
    );
    const allowed = status?.allowed === true;
    return this.#decisions.keep(key, allowed, allowed ? ALLOWED_MS : DENIED_MS);
  }

  async #ask<T>(group: string, resource: string, review: object): Promise<T> {
    const { code, body } = await this.#api("POST", `/apis/${group}/v1/${resource}`, {
      apiVersion: `${group}/v1`,
      ...review,
    });
    if (code >= 300) throw new Error(`${resource}: ${code}`);
    return body as T;
  }
}

type TokenStatus = {
  authenticated?: boolean;
  user?: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };
};

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates */
function identityOf(subject: Subject | undefined): Identity | undefined {
  const list = (value: string | string[] | undefined) => (value === undefined ? [] : [value].flat());
  const name = list(subject?.CN).at(-1);
  return name ? { name, groups: [...list(subject?.O), "system:authenticated"] } : undefined;
}
