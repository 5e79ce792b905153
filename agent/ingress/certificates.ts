/** Which certificate a client is shown, by the name that it asks for. */
import { createSecureContext, type SecureContext } from "node:tls";
import { errorText } from "../../worker/lib/error-text.ts";
import type { Certificate } from "./config.ts";

/** PEM, and what is made of it; undefined where it is none. */
type Kept = { cert: string; key: string; context: SecureContext | undefined };

const wildcardOf = (name: string) => name.replace(/^[^.]+/, "*");

export class CertificateStore {
  readonly #log: (message: string) => void;
  readonly #fallback: Kept;
  /** By Secret: they are made anew only when they have changed. */
  #contexts = new Map<string, Kept>();
  #byHost = new Map<string, Kept>();

  /** `fallback` is for names that no Ingress has a certificate for. */
  constructor(fallback: Pick<Certificate, "certificate" | "key">, log: (message: string) => void) {
    const { certificate: cert, key } = fallback;
    this.#fallback = { cert, key, context: createSecureContext({ cert, key }) };
    this.#log = log;
  }

  /** Of two for one host the first counts. One that is none is told of and left out. */
  configure(certificates: readonly Certificate[]): void {
    const contexts = new Map<string, Kept>();
    const byHost = new Map<string, Kept>();
    for (const { secret, hosts, certificate: cert, key } of certificates) {
      const before = contexts.get(secret) ?? this.#contexts.get(secret);
      const isSame = before?.cert === cert && before.key === key;
      const kept = isSame ? before : { cert, key, context: this.#made(secret, cert, key) };
      contexts.set(secret, kept);
      if (!kept.context) continue;
      for (const host of hosts.length > 0 ? hosts : [""]) if (!byHost.has(host)) byHost.set(host, kept);
    }
    this.#contexts = contexts;
    this.#byHost = byHost;
  }

  /** For clients that name nobody. */
  get unnamed(): Pick<Kept, "cert" | "key"> {
    return this.#byHost.get("") ?? this.#fallback;
  }

  /** `name` as the client says it. */
  contextFor(name: string): SecureContext | undefined {
    const host = name.toLowerCase();
    const own = this.#byHost.get(host) ?? this.#byHost.get(wildcardOf(host));
    return (own ?? this.#byHost.get("") ?? this.#fallback).context;
  }

  #made(secret: string, cert: string, key: string): SecureContext | undefined {
    try {
      return createSecureContext({ cert, key });
    } catch (error) {
      this.#log(`the certificate of Secret ${secret} cannot be used: ${errorText(error)}`);
      return undefined;
    }
  }
}
