/** Which certificate a client is shown, by the name that it asks for. */
import { createSecureContext, type SecureContext } from "node:tls";
import { errorText } from "../../worker/lib/error-text.ts";
import type { Certificate } from "./config.ts";

/** PEM, and what is made of it, or why nothing is. */
type Kept = { cert: string; key: string; context: SecureContext | undefined; problem?: string };

const wildcardOf = (name: string) => name.replace(/^[^.]+/, "*");

export class CertificateStore {
  readonly #fallback: Kept;
  /** By Secret: they are made anew only when they have changed. */
  #contexts = new Map<string, Kept>();
  #byHost = new Map<string, Kept>();

  /** `fallback` is for names that no Ingress has a certificate for. */
  constructor(fallback: Pick<Certificate, "certificate" | "key">) {
    const { certificate: cert, key } = fallback;
    this.#fallback = { cert, key, context: createSecureContext({ cert, key }) };
  }

  /** Of two for one host the first counts. One that is none is left out. */
  configure(certificates: readonly Certificate[]): void {
    const contexts = new Map<string, Kept>();
    const byHost = new Map<string, Kept>();
    for (const { secret, hosts, certificate: cert, key } of certificates) {
      const before = contexts.get(secret) ?? this.#contexts.get(secret);
      const isSame = before?.cert === cert && before.key === key;
      const kept = isSame ? before : { cert, key, ...made(cert, key) };
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

  /** Why certificates cannot be used, in words for people. */
  get problems(): string[] {
    return [...this.#contexts].flatMap(([secret, { problem }]) =>
      problem ? [`the certificate of secret "${secret}" cannot be used: ${problem}`] : [],
    );
  }
}

function made(cert: string, key: string): Pick<Kept, "context" | "problem"> {
  try {
    return { context: createSecureContext({ cert, key }) };
  } catch (error) {
    return { context: undefined, problem: errorText(error) };
  }
}
