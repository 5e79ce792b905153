import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { Json } from "../../worker/protocol/link.ts";
import { type TokenRequest, VolumeError } from "./volume.ts";

/** Asks the API server; rejects when there is no uplink. */
export type Api = (
  method: string,
  path: string,
  body?: Json,
  contentType?: string,
) => Promise<{ code: number; body: Json }>;

/** `issuedAt` and `expiresAt` in ms since the epoch. */
type Token = { token: string; issuedAt: number; expiresAt: number };
type Tokens = Record<string, Token>;

const REFRESH_AT = 0.8;
const OLDEST_MS = 24 * 3600_000;
const RETRY_MS = 30_000;

const keyOf = (request: TokenRequest) => `${request.audience ?? ""} ${request.expirationSeconds}`;

/** https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens */
const refreshAt = ({ issuedAt, expiresAt }: Token) =>
  issuedAt + Math.min((expiresAt - issuedAt) * REFRESH_AT, OLDEST_MS);

/**
 * One pod's ServiceAccount tokens. They are also kept in a file that only root reads, so that a machine that starts
 * without its uplink starts its pods nevertheless.
 */
export class PodTokens {
  readonly #file: string;
  readonly #api: Api;
  readonly #now: () => number;
  readonly #tokens: Tokens;
  #notBefore = 0;

  constructor(file: string, api: Api, now: () => number) {
    this.#file = file;
    this.#api = api;
    this.#now = now;
    this.#tokens = readTokens(file);
  }

  async token(pod: CoreV1Pod, request: TokenRequest): Promise<string> {
    const held = this.#tokens[keyOf(request)];
    if (held && this.#now() < refreshAt(held)) return held.token;
    try {
      return await this.#request(pod, request);
    } catch (error) {
      if (!held) throw new VolumeError(`failed to fetch token: ${(error as Error).message}`);
      return held.token;
    }
  }

  /** They are being asked for, as far as they are due: if that comes to nothing, not again for a while. */
  trying(): void {
    this.#notBefore = this.#now() + RETRY_MS;
  }

  /** When the next token has to be asked for (ms since the epoch). */
  refreshAt(): number {
    const soonest = Math.min(...Object.values(this.#tokens).map(refreshAt), Infinity);
    return Math.max(soonest, this.#notBefore);
  }

  async #request(pod: CoreV1Pod, request: TokenRequest): Promise<string> {
    const { namespace, name = "", uid = "" } = pod.metadata;
    const account = pod.spec.serviceAccountName ?? "default";
    const { code, body } = await this.#api("POST", `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        ...(request.audience ? { audiences: [request.audience] } : { audiences: [] }),
        expirationSeconds: request.expirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    });
    const answer = body as { message?: string; status?: { token?: string; expirationTimestamp?: string } } | null;
    const token = answer?.status?.token;
    if (code >= 300 || !token) throw new Error(answer?.message ?? `the API server answered ${code}`);
    const expiresAt = Date.parse(answer.status?.expirationTimestamp ?? "");
    this.#tokens[keyOf(request)] = {
      token,
      issuedAt: this.#now(),
      expiresAt: Number.isNaN(expiresAt) ? this.#now() + request.expirationSeconds * 1000 : expiresAt,
    };
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#tokens), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
    return token;
  }
}

/** Those that are not there, or cannot be read, are asked for anew. */
function readTokens(file: string): Tokens {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Tokens;
  } catch {
    return {};
  }
}
