import type { Environment } from "@marcbachmann/cel-js";
import { CelError } from "./program.ts";

/** An absolute URI or an absolute path, as Go's url.ParseRequestURI takes them. */
class CelUrl {
  readonly text: string;
  readonly url: URL;
  readonly isPath: boolean;

  constructor(text: string) {
    this.isPath = text.startsWith("/");
    const url = URL.parse(text, this.isPath ? "path://path" : undefined);
    if (!url) throw new CelError(`URL parse error during conversion from string: parse ${JSON.stringify(text)}`);
    this.text = text;
    this.url = url;
  }

  /** As written: URL leaves default ports out. */
  get authority(): string {
    return this.isPath ? "" : (/^[^:]+:\/\/(?:[^@/?#]*@)?([^/?#]*)/.exec(this.text)?.[1] ?? "");
  }

  get port(): string {
    return /:(\d+)$/.exec(this.authority)?.[1] ?? "";
  }

  get hostname(): string {
    return this.authority.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  }
}

function isUrl(text: string): boolean {
  try {
    return new CelUrl(text).text === text;
  } catch {
    return false;
  }
}

function queryOf({ url }: CelUrl): Record<string, string[]> {
  const query: Record<string, string[]> = {};
  for (const name of new Set(url.searchParams.keys())) query[name] = url.searchParams.getAll(name);
  return query;
}

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-url-library */
export function registerUrls(environment: Environment): void {
  environment
    .registerType("net.URL", CelUrl)
    .registerFunction("url(string): net.URL", (text: string) => new CelUrl(text))
    .registerFunction("isURL(string): bool", isUrl)
    .registerFunction("net.URL.getScheme(): string", ({ url, isPath }: CelUrl) =>
      isPath ? "" : url.protocol.slice(0, -1),
    )
    .registerFunction("net.URL.getHost(): string", ({ authority }: CelUrl) => authority)
    .registerFunction("net.URL.getHostname(): string", ({ hostname }: CelUrl) => hostname)
    .registerFunction("net.URL.getPort(): string", ({ port }: CelUrl) => port)
    .registerFunction("net.URL.getEscapedPath(): string", ({ url }: CelUrl) => url.pathname)
    .registerFunction("net.URL.getQuery(): map<string, list<string>>", queryOf);
}
