/** The cluster's own questions to extension servers: whether they answer, and what they serve. */
import type { Extensions, Question, Reply } from "./api/aggregation/aggregation.ts";
import { AGGREGATOR, remoteHeaders } from "./api/aggregation/identity.ts";
import { serviceGrant } from "./api/http/proxy.ts";
import type { Answer, DiscoveryCheck } from "./controllers/apiservice/availability.ts";
import { type Extension, REGISTRATIONS } from "./kinds/apiregistration/api-service.ts";
import type { CertificateAndKey } from "./lib/certificates.ts";
import { errorText } from "./lib/error-text.ts";
import { inTime, openStream, type Way } from "./outside.ts";
import type { ProxyRequest } from "./protocol/link.ts";

export type ExtensionParts = Way & {
  /** The certificate by which servers know the API. */
  certificate(): Promise<CertificateAndKey>;
  /** Asks for a run of the availability controller. */
  recheck(name: string): void;
};

const CHECK_TIMEOUT_MS = 5_000;
/** A server in use is looked at again after so long, ms: sooner when it did not answer. */
const RECHECK_MS = 30_000;
const RECHECK_FAILED_MS = 1_000;

/** Documents of version 2 of OpenAPI are the largest: kube-apiserver's has 4 million. */
const MAX_REPLY_CHARACTERS = 8 * 1024 * 1024;

type Check = { print: string; since?: number; askedAt: number; isAsking?: boolean; answer?: Answer };

const unreachable = "error trying to reach service: ";

export class ExtensionServers implements Extensions {
  readonly #parts: ExtensionParts;
  /** By the name of the APIService; those of deleted ones are few and small. */
  readonly #checks = new Map<string, Check>();

  constructor(parts: ExtensionParts) {
    this.#parts = parts;
  }

  /** The grant, with which the node's agent has been told to serve. Throws the 503. */
  async granted<G extends { node: string; stream: ProxyRequest }>(grant: G): Promise<G> {
    const { node, stream } = grant;
    const tls = stream.tls && { ...stream.tls, client: await this.#parts.certificate() };
    openStream(this.#parts, { node, stream: { ...stream, ...(tls && { tls }) } });
    return grant;
  }

  async get(extension: Extension, { path, accept, as, timeoutMs, anyCertificate }: Question): Promise<Reply> {
    const { outside, clusterName, view, effects } = this.#parts;
    if (!outside) throw new Error("nothing outside can be reached");
    const asked = anyCertificate ? { ...extension, insecure: true } : extension;
    const grant = await this.granted(serviceGrant(asked, view, effects));
    const { signal, end } = outside.deadline(timeoutMs);
    try {
      const headers: [string, string][] = [["accept", accept], ...remoteHeaders(as)];
      const request = { method: "GET", path, headers, signal };
      const answer = await inTime(outside.exchange(clusterName, grant, request), signal);
      const { status, headers: answered } = answer;
      return { status, headers: answered, text: await inTime(textOf(answer), signal) };
    } finally {
      end();
    }
  }

  used({ name, available }: Extension): void {
    const now = this.#parts.effects.now();
    const known = this.#checks.get(name);
    if (known?.isAsking) return; // a slow answer would always be given up for the next question
    if (known && now - known.askedAt < (available ? RECHECK_MS : RECHECK_FAILED_MS)) return;
    this.#checks.set(name, { print: known?.print ?? "", since: known?.since, askedAt: now });
    this.#parts.recheck(name);
  }

  readonly check: DiscoveryCheck = (name, print, maxAgeMs) => {
    const now = this.#parts.effects.now();
    const known = this.#checks.get(name);
    const isSame = known?.print === print;
    if (isSame && known.isAsking) return undefined;
    if (isSame && known.answer && now - known.answer.at < maxAgeMs) return known.answer;
    const changedAt = known?.print ? now : undefined;
    const since = isSame ? known.since : changedAt;
    const check: Check = { print, since, askedAt: now, isAsking: true };
    this.#checks.set(name, check);
    void this.#ask(name).then((failed) => {
      if (this.#checks.get(name) !== check) return; // something has changed meanwhile, and it is being asked anew
      check.isAsking = false;
      check.answer = { failed, since, at: this.#parts.effects.now() };
      this.#parts.recheck(name);
    });
    return undefined;
  };

  /** Why the server does not answer; undefined when it does. */
  async #ask(name: string): Promise<string | undefined> {
    const extension = this.#parts.view.digest(REGISTRATIONS).get(`/${name}`)?.extension;
    if (!extension) return "the APIService has gone";
    const { service, group, version } = extension;
    const path = `/apis/${group}/${version}`;
    const url = `https://${service.name}.${service.namespace}.svc:${service.port}${path}`;
    const failed = (why: string) => `failing or missing response from ${url}: ${why}`;
    const asked = {
      path,
      accept: "application/json",
      as: AGGREGATOR,
      timeoutMs: CHECK_TIMEOUT_MS,
      anyCertificate: true,
    };
    try {
      const { status, text } = await this.get(extension, asked);
      if (status >= 200 && status < 300) return undefined;
      const why = status === 503 ? messageOf(text) : "";
      if (why.startsWith(unreachable)) return failed(`Get ${JSON.stringify(url)}: ${why.slice(unreachable.length)}`);
      return failed(`bad status from ${url}: ${status}`);
    } catch (error) {
      return failed(`Get ${JSON.stringify(url)}: ${errorText(error)}`);
    }
  }
}

/** The body, or a rejection where it is more than any document. */
async function textOf({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of (body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_REPLY_CHARACTERS) throw new Error(`more than ${MAX_REPLY_CHARACTERS} characters`);
  }
  return text + decoder.decode();
}

function messageOf(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: unknown }).message);
  } catch {
    return "";
  }
}
