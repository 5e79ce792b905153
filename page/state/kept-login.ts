/** The login that is kept in the browser: a token, and beside it the way to the next where an issuer gave one. */
import { StatusError } from "../api/client.ts";
import { claimsOf, type Given, isEnding, type Renewal } from "../api/issuers.ts";

type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;
type Parts = {
  key: string;
  tab: Store;
  browser: Store;
  /** Milliseconds since 1970. */
  now(): number;
  /** One at a time in all tabs. */
  alone(act: () => Promise<string>): Promise<string>;
  exchange(renewal: Renewal): Promise<Given>;
};

/** So long after an issuer did not answer it is not asked again. */
const WAIT_MS = 10_000;

export class KeptLogin {
  readonly #parts: Parts;
  readonly #renewalKey: string;
  #askAgainAt = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#renewalKey = `${parts.key}:renewal`;
  }

  token(): string | null {
    return this.#store().getItem(this.#parts.key);
  }

  isRenewed(): boolean {
    return this.#renewal() !== null;
  }

  /** In place of every other. `stay` beyond the tab. */
  keep(token: string, stay: boolean, renewal: Renewal | undefined): void {
    this.forget();
    this.#write(stay ? this.#parts.browser : this.#parts.tab, token, renewal);
  }

  /** All, or what is kept of one token. */
  forget(token?: string): void {
    const { key, tab, browser } = this.#parts;
    for (const store of [tab, browser]) {
      if (token !== undefined && store.getItem(key) !== token) continue;
      store.removeItem(key);
      store.removeItem(this.#renewalKey);
    }
  }

  isDue(token: string): boolean {
    return this.#parts.now() >= this.#askAgainAt && this.#isEnding(token);
  }

  /** What follows a token: another tab may have had it already. Throws a 401 where that is no more the same user's login. */
  async renew(own: string): Promise<string> {
    try {
      return await this.#parts.alone(() => this.#next(own));
    } catch (error) {
      this.#askAgainAt = this.#parts.now() + WAIT_MS;
      throw error;
    }
  }

  async #next(own: string): Promise<string> {
    const store = this.#store();
    const token = store.getItem(this.#parts.key);
    const kept = store.getItem(this.#renewalKey);
    if (token === null) throw gone("You have logged out in another tab.");
    if (!isOfSameUser(token, own)) throw gone("Another user has logged in in another tab.");
    if (kept === null || !this.#isEnding(token)) return token;
    const renewal = JSON.parse(kept) as Renewal;
    const { idToken, refreshToken = renewal.refreshToken, at } = await this.#parts.exchange(renewal);
    if (store.getItem(this.#renewalKey) !== kept) throw gone("You have logged out meanwhile.");
    this.#write(store, idToken, { issuer: renewal.issuer, refreshToken, skew: at - this.#parts.now() });
    return idToken;
  }

  #write(store: Store, token: string, renewal: Renewal | undefined): void {
    store.setItem(this.#parts.key, token);
    if (renewal) store.setItem(this.#renewalKey, JSON.stringify(renewal));
  }

  #isEnding(token: string): boolean {
    const kept = this.#renewal();
    const { skew = 0 } = kept === null ? {} : (JSON.parse(kept) as Partial<Renewal>);
    return isEnding(token, this.#parts.now() + skew);
  }

  #renewal(): string | null {
    return this.#store().getItem(this.#renewalKey);
  }

  /** The tab's, or else the browser's. */
  #store(): Store {
    const { key, tab, browser } = this.#parts;
    return tab.getItem(key) === null ? browser : tab;
  }
}

const gone = (why: string) => new StatusError(401, "Unauthorized", why);

function isOfSameUser(a: string, b: string): boolean {
  const [one, other] = [claimsOf(a), claimsOf(b)];
  return one.iss === other.iss && one.sub === other.sub;
}
