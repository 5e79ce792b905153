import { unauthorized } from "../../lib/status.ts";
import { Fairness } from "../fairness/fairness.ts";
import type { RequestInfo } from "../http/request-info.ts";
import type { AppParts } from "../parts.ts";
import type { User } from "../request.ts";
import { ANONYMOUS, bearerToken, digest, type Identity, identify, type Presented } from "./authenticate.ts";
import { requireAllowed } from "./authorize.ts";
import { impersonate } from "./impersonate.ts";
import { type SigningKey, signingKey } from "./signing-key.ts";

const MAX_DIGESTED = 500;
const MAX_DIGESTED_CHARACTERS = 4096;

/** The way in: a request's token is digested before its turn, and within it becomes a user who may do what is asked. */
export class Access {
  readonly key: SigningKey;
  readonly fairness: Fairness;
  readonly #parts: Pick<AppParts, "store" | "effects" | "config" | "security">;
  /** What tokens digest to, which never changes; whether that is good for anything is asked of the store each time. */
  readonly #digested = new Map<string, Presented>();
  /** Requests whose sender was known before: agents on their sockets. */
  readonly #known = new WeakMap<Request, User>();

  constructor(parts: Pick<AppParts, "store" | "effects" | "config" | "security" | "engine">) {
    this.#parts = parts;
    this.key = signingKey(parts.store);
    this.fairness = new Fairness(parts.engine.view, parts.store);
  }

  async present({ headers }: Request): Promise<Presented | undefined> {
    const token = bearerToken(headers);
    if (token === undefined) return undefined;
    const known = this.#digested.get(token);
    if (known) return known;
    const presented = await digest(this.key, token);
    if (this.#digested.size >= MAX_DIGESTED) this.#digested.clear();
    if (token.length <= MAX_DIGESTED_CHARACTERS) this.#digested.set(token, presented);
    return presented;
  }

  /** The request counts as sent by `user`, whatever its headers say. */
  vouch(request: Request, user: User): void {
    this.#known.set(request, user);
  }

  identify(presented: Presented, audiences?: readonly string[]): Identity | { refused: string } {
    const { store, effects, config } = this.#parts;
    return identify({ store, effects, adminTokenHash: config.adminTokenHash }, presented, audiences);
  }

  /** Anonymous without a token; throws the 401 for a bad one. */
  userOf(presented: Presented | undefined): User {
    if (!presented) return ANONYMOUS;
    const identity = this.identify(presented);
    if ("refused" in identity || identity.audiences.length === 0) throw unauthorized();
    return identity.user;
  }

  /** The user who acts. Throws the 401, or the 403 for acting as another. */
  actor(request: Request, presented: Presented | undefined): User {
    const { authorizer } = this.#parts.security;
    return this.#known.get(request) ?? impersonate(authorizer, this.userOf(presented), request.headers);
  }

  /** The user who acts, allowed to do what `info` says. Throws the 401 or 403. */
  admit(request: Request, presented: Presented | undefined, info: RequestInfo): User {
    const user = this.actor(request, presented);
    this.fairness.classify(request, user, info);
    requireAllowed(this.#parts.security.authorizer, user, info);
    return user;
  }
}
