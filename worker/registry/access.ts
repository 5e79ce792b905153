/**
 * Who may: the Cluster object says, by RBAC of the path, whose verbs are `get` to pull, `put` to push and `delete`. Docker's
 * clients send a name and a password: the password is a token that the API knows, and the name is anybody's.
 */
import { TICKET_HEADER } from "../lib/blob-tickets.ts";
import { CERTIFICATE_HEADER, GRANT_HEADER } from "../lib/internal-headers.ts";
import { type ErrorCode, RegistryError } from "./errors.ts";

export type Verb = "get" | "put" | "delete";
type Cluster = { fetch(request: Request): Promise<Response> };

const CODES: Readonly<Record<number, ErrorCode>> = { 401: "UNAUTHORIZED", 403: "DENIED", 429: "TOOMANYREQUESTS" };
/** Of the request as such; the Cluster object is asked about it and gets none of its body. */
const OF_BODY = ["content-length", "content-type", "content-range", "transfer-encoding", "range", "accept"];

export class Access {
  readonly #request: Request;
  readonly #cluster: Cluster;

  constructor(request: Request, cluster: Cluster) {
    this.#request = request;
    this.#cluster = cluster;
  }

  /** Throws the refusal. `path` begins with `/v2/`. Resolves to the ticket of a blob, where the client wants one. */
  async check(verb: Verb, path: string): Promise<string | undefined> {
    const answer = await this.#ask(verb, path);
    if (answer instanceof RegistryError) throw answer;
    return answer.headers.get(TICKET_HEADER) ?? undefined;
  }

  async may(verb: Verb, path: string): Promise<boolean> {
    return !((await this.#ask(verb, path)) instanceof RegistryError);
  }

  /** Whoever is known may ask whether there is a registry: that is how clients try a password. */
  async checkKnown(): Promise<void> {
    const answer = await this.#ask("get", "/v2/");
    if (answer instanceof RegistryError && answer.code !== "DENIED") throw answer;
  }

  /** What grants it, or the refusal. */
  async #ask(verb: Verb, path: string): Promise<Response | RegistryError> {
    const headers = new Headers(this.#request.headers);
    for (const name of OF_BODY) headers.delete(name);
    const authorization = bearerOf(headers.get("authorization"));
    if (authorization) headers.set("authorization", authorization);
    const url = new URL(path, this.#request.url);
    const answer = await this.#cluster.fetch(new Request(url, { method: verb.toUpperCase(), headers }));
    if (answer.headers.has(GRANT_HEADER)) return answer;
    const isNobody = !/^\s*bearer \S/i.test(authorization ?? "") && !headers.has(CERTIFICATE_HEADER);
    return refusalOf(answer.status === 403 && isNobody ? 401 : answer.status, await messageOf(answer));
  }
}

function refusalOf(status: number, message: string): RegistryError {
  const challenge = { "www-authenticate": 'Basic realm="the cluster\'s tokens"' };
  return new RegistryError(CODES[status] ?? "UNKNOWN", message, {
    status,
    ...(status === 401 && { headers: challenge }),
  });
}

async function messageOf(answer: Response): Promise<string> {
  const status = (await answer.json().catch(() => null)) as { message?: unknown } | null;
  return typeof status?.message === "string" ? status.message : `the cluster answered ${answer.status}`;
}

/** A password as the token that it is. */
function bearerOf(authorization: string | null): string | undefined {
  const given = basicOf(authorization);
  if (given === undefined) return authorization ?? undefined;
  const { password = "" } = given;
  if (!/^[\x21-\x7e]+$/.test(password)) throw refusalOf(401, "the password is no token");
  return `Bearer ${password}`;
}

/** What Basic says, of which nothing is there where it is badly written; undefined for what is not Basic. */
function basicOf(authorization: string | null): { user?: string; password?: string } | undefined {
  const [, basic] = /^basic +(\S+)$/i.exec(authorization ?? "") ?? [];
  if (basic === undefined) return undefined;
  try {
    const given = new TextDecoder().decode(Uint8Array.from(atob(basic), (character) => character.charCodeAt(0)));
    return /^(?<user>[^:]*):(?<password>.*)$/s.exec(given)?.groups ?? {};
  } catch {
    return {};
  }
}

/** Clients that log in ask `/v2/` alone, whatever they will ask for: a user `clusters/NAME/…` means that cluster's. */
export function pathOfLogin({ headers }: Request, path: string): string {
  if (!/^\/v2\/?$/.test(path)) return path;
  const [, cluster] = /^clusters\/([^/]+)/.exec(basicOf(headers.get("authorization"))?.user ?? "") ?? [];
  return cluster === undefined ? path : `/v2/clusters/${cluster}/`;
}
