/**
 * The keys by which an issuer signs: found through its configuration document, kept in memory, and asked for anew when a
 * token names one that is not among them. Nobody else waits for an issuer, and one that does not answer is not asked
 * again for a while, so that its tokens are refused at once.
 * https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
 */
import { createLocalJWKSet, type JSONWebKeySet } from "jose";
import type { Issuer } from "../../../lib/authentication-config.ts";
import { errorText } from "../../../lib/error-text.ts";

/** The text of a document; rejects when it does not come in time, or is no success. */
export type Fetcher = (url: string, timeoutMs: number) => Promise<string>;

export type KeySet = ReturnType<typeof createLocalJWKSet>;

const TIMEOUT_MS = 5_000;
/** Between two questions at the least. */
const PAUSE_MS = 3_000;
/** Keys of this age are looked at again, while they still count. */
const STALE_MS = 10 * 60_000;

export class IssuerKeys {
  readonly #issuer: Issuer;
  readonly #fetch: Fetcher;
  readonly #now: () => number;
  #keys: KeySet | undefined;
  #fetchedAt = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #failure = "";
  #asking: Promise<void> | undefined;

  constructor(issuer: Issuer, fetch: Fetcher, now: () => number) {
    this.#issuer = issuer;
    this.#fetch = fetch;
    this.#now = now;
  }

  /** Throws why there are none. */
  async current(): Promise<KeySet> {
    if (!this.#keys) await this.#ask();
    else if (this.#now() - this.#fetchedAt > STALE_MS) void this.#ask();
    if (!this.#keys) throw new Error(this.#failure);
    return this.#keys;
  }

  /** Those of now, for a key that is not known; undefined when there can be no others. */
  async renewed(): Promise<KeySet | undefined> {
    const before = this.#keys;
    await this.#ask();
    return this.#keys === before ? undefined : this.#keys;
  }

  #ask(): Promise<void> {
    if (this.#asking) return this.#asking;
    if (this.#now() - this.#askedAt < PAUSE_MS) return Promise.resolve();
    this.#askedAt = this.#now();
    this.#asking = this.#load()
      .then(
        (keys) => {
          this.#keys = createLocalJWKSet(keys);
          this.#fetchedAt = this.#now();
        },
        (error: unknown) => {
          this.#failure = `the issuer's keys cannot be read: ${errorText(error)}`;
        },
      )
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  async #load(): Promise<JSONWebKeySet> {
    const { keysUrl } = this.#issuer;
    if (keysUrl) return (await this.#document(keysUrl)) as unknown as JSONWebKeySet;
    const { issuer, jwks_uri: uri } = await this.#document(this.#issuer.discoveryUrl);
    if (issuer !== this.#issuer.url) throw new Error("its configuration is another issuer's");
    if (typeof uri !== "string" || !uri.startsWith("https://")) throw new Error("its configuration names no jwks_uri");
    return (await this.#document(uri)) as unknown as JSONWebKeySet;
  }

  async #document(url: string): Promise<Record<string, unknown>> {
    const value: unknown = JSON.parse(await this.#fetch(url, TIMEOUT_MS));
    if (typeof value !== "object" || value === null) throw new Error("its answer is no JSON object");
    return value as Record<string, unknown>;
  }
}
