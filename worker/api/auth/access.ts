import { CERTIFICATE_HEADER } from "../../lib/internal-headers.ts";
import { unauthorized } from "../../lib/status.ts";
import { pathAndQuery } from "../../lib/url.ts";
import { Fairness } from "../fairness/fairness.ts";
import type { RequestInfo } from "../http/request-info.ts";
import type { AppParts } from "../parts.ts";
import type { User } from "../request.ts";
import { ANONYMOUS, bearerToken, digest, type Identity, identify, type Presented } from "./authenticate.ts";
import { requireAllowed } from "./authorize.ts";
import { ClientCertificates } from "./client-certificates.ts";
import { impersonate } from "./impersonate.ts";
import { type Logins, NO_LOGINS } from "./logins.ts";
import { type SigningKey, signingKey } from "./signing-key.ts";

const MAX_DIGESTED = 500;
const MAX_DIGESTED_CHARACTERS = 4096;
/** Then a token is held against its issuer's keys anew. */
const LOGIN_CHECKED_MS = 10 * 60_000;

/** The way in: a request's token is digested before its turn, and within it becomes a user who may do what is asked. */
export class Access {
  readonly key: SigningKey;
  readonly fairness: Fairness;
  readonly #parts: Pick<AppParts, "store" | "effects" | "config" | "security">;
  /** What tokens digest to, which changes with an issuer's keys alone; whether that is good for anything is asked of the store each time. */
  readonly #digested = new Map<string, { presented: Presented; until: number }>();
  readonly #certificates: ClientCertificates;
  /** Requests whose sender was known before: agents on their sockets. */
  readonly #known = new WeakMap<Request, User>();

  constructor(parts: Pick<AppParts, "store" | "effects" | "config" | "security" | "engine">) {
    this.#parts = parts;
    this.key = signingKey(parts.store);
    this.#certificates = new ClientCertificates(parts.config.ca);
    this.fairness = new Fairness(parts.engine.view, parts.store);
  }

  async present({ headers }: Request): Promise<Presented | undefined> {
    const certificate = headers.get(CERTIFICATE_HEADER);
    const shown = certificate === null ? undefined : await this.#certificates.login(certificate);
    if (shown && !("refused" in shown)) return { hash: "", claims: undefined, login: shown };
    const token = bearerToken(headers) ?? this.#accessToken(headers);
    if (token !== undefined) return this.digest(token);
    return shown && { hash: "", claims: undefined, login: shown };
  }

  async digest(token: string): Promise<Presented> {
    const now = this.#parts.effects.now();
    const known = this.#digested.get(token);
    if (known && known.until > now) return known.presented;
    const presented = await digest(this.key, this.#logins, token);
    const { login } = presented;
    if (login && "refused" in login) return presented; // its issuer may have been out of reach
    if (this.#digested.size >= MAX_DIGESTED) this.#digested.clear();
    const until = login ? now + LOGIN_CHECKED_MS : Number.POSITIVE_INFINITY;
    if (token.length <= MAX_DIGESTED_CHARACTERS) this.#digested.set(token, { presented, until });
    return presented;
  }

  /** Cloudflare Access says who came through it in a token of its own, which counts where Access is a known issuer. */
  #accessToken(headers: Headers): string | undefined {
    const token = headers.get("cf-access-jwt-assertion");
    return token && this.#logins.issuers.claims(token) ? token : undefined;
  }

  get #logins(): Logins {
    return this.#parts.config.logins ?? NO_LOGINS;
  }

  /** The request counts as sent by `user`, whatever its headers say. */
  vouch(request: Request, user: User): void {
    this.#known.set(request, user);
  }

  identify(presented: Presented, audiences?: readonly string[]): Identity | { refused: string } {
    const { store, effects, config } = this.#parts;
    const { adminTokenHash } = config;
    return identify({ store, effects, adminTokenHash, logins: this.#logins }, presented, audiences);
  }

  /** Anonymous without a token; throws the 401 for a bad one. */
  userOf(presented: Presented | undefined): User {
    if (!presented) return ANONYMOUS;
    const identity = this.identify(presented);
    if ("refused" in identity || identity.audiences.length === 0) throw unauthorized();
    return identity.user;
  }

  /** Whether the request asks to be answered as another's. */
  impersonates(request: Request): boolean {
    return request.headers.has("impersonate-user") && !this.#known.has(request);
  }

  /** The user who sent the request, whomever it acts as. Throws the 401. */
  sender(request: Request, presented: Presented | undefined): User {
    return this.#known.get(request) ?? this.userOf(presented);
  }

  /** The user who acts. Throws the 401, or the 403 for acting as another. */
  actor(request: Request, presented: Presented | undefined): User {
    const { authorizer } = this.#parts.security;
    const known = this.#known.get(request);
    if (known) return known;
    if (!presented && !this.#mayBeAnonymous(request)) throw unauthorized();
    return impersonate(authorizer, this.userOf(presented), request.headers);
  }

  #mayBeAnonymous({ url }: Request): boolean {
    const { anonymous } = this.#logins;
    return anonymous === "all" || anonymous.includes(pathAndQuery(url).pathname);
  }

  /** The user who acts, allowed to do what `info` says. Throws the 401 or 403. */
  admit(request: Request, presented: Presented | undefined, info: RequestInfo): User {
    const user = this.actor(request, presented);
    this.fairness.classify(request, user, info);
    requireAllowed(this.#parts.security.authorizer, user, info);
    return user;
  }
}
