/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-url-library */
import { ofFirst, one } from "../costs.ts";
import { type Costs, Library } from "../environment.ts";
import { CelError } from "../errors.ts";
import { fixed, scale } from "../ranges.ts";
import { CelObject } from "../values.ts";

/** An absolute URI or an absolute path, as Go's url.ParseRequestURI takes them, in its parts as written. */
class CelUrl extends CelObject {
  readonly typeName = "kubernetes.URL";
  readonly text: string;
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;

  constructor(text: string) {
    super();
    const why = problemOf(text);
    if (why !== undefined) throw new CelError(`URL parse error during conversion from string: ${why}`);
    this.text = text;
    const [, scheme = "", rest = ""] =
      /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(.*)$/s.exec(text.split("#")[0] as string) ?? [];
    const [before = "", ...query] = rest.split("?");
    const [, authority = "", path = ""] = /^(?:\/\/([^/]*))?(.*)$/s.exec(before) ?? [];
    this.scheme = scheme.toLowerCase();
    this.host = decoded(authority.slice(authority.lastIndexOf("@") + 1));
    this.path = path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]/gu, (char) => encodeURIComponent(char));
    this.query = query.join("?");
  }

  get port(): string {
    return /:(\d*)$/.exec(this.host.replace(/^\[.*\]/, ""))?.[1] ?? "";
  }

  get hostname(): string {
    if (this.host.startsWith("[")) return this.host.slice(1, this.host.indexOf("]"));
    return this.host.replace(/:\d*$/, "");
  }

  override equals(other: CelUrl): boolean {
    return this.text === other.text;
  }
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** What Go says of a text that is no URL; undefined for one that is. */
export function problemOf(text: string): string | undefined {
  const parse = (why: string) => `parse ${JSON.stringify(text)}: ${why}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is refused
  if (/[\u0000-\u001f\u007f]/.test(text)) return parse("net/url: invalid control character in URL");
  if (text === "") return parse("empty url");
  if (text === "*") return undefined;
  if (text.startsWith(":")) return parse("missing protocol scheme");
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(text)?.[0];
  const rest = scheme ? text.slice(scheme.length) : text;
  if (!rest.startsWith("/")) return scheme && rest ? undefined : parse("invalid URI for request");
  const wrong = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(rest.split("?")[0] as string)?.[0];
  if (wrong !== undefined) return parse(`invalid URL escape ${JSON.stringify(wrong)}`);
  const authority = /^\/\/([^/?#]*)/.exec(rest)?.[1];
  return authority === undefined || !scheme ? undefined : authorityProblem(authority, parse);
}

function authorityProblem(authority: string, parse: (why: string) => string): string | undefined {
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (host.startsWith("[") && !host.includes("]")) return parse("missing ']' in host");
  const port = /:([^\]]*)$/.exec(host.replace(/^\[.*\]/, ""))?.[1];
  if (port !== undefined && !/^\d*$/.test(port)) return parse(`invalid port ${JSON.stringify(`:${port}`)} after host`);
  const char = /[ "<>\\^`{|}]/.exec(host)?.[0];
  return char === undefined ? undefined : parse(`invalid character ${JSON.stringify(char)} in host name`);
}

function queryOf({ query }: CelUrl): Record<string, string[]> {
  const params = new URLSearchParams(query);
  return Object.fromEntries([...new Set(params.keys())].map((name) => [name, params.getAll(name)]));
}

const parsing: Costs = {
  cost: ofFirst,
  estimate: ([text], sizeOf) => text && { cost: scale(sizeOf(text), 0.1), size: sizeOf(text) },
};
const looking: Costs = { cost: one, estimate: () => ({ cost: fixed(1) }) };

export const urls = new Library()
  .add("url(string): kubernetes.URL", "string_to_url", (text: string) => new CelUrl(text), parsing)
  .add("kubernetes.URL::getScheme(): string", "url_get_scheme", ({ scheme }: CelUrl) => scheme, looking)
  .add("kubernetes.URL::getHost(): string", "url_get_host", ({ host }: CelUrl) => host, looking)
  .add("kubernetes.URL::getHostname(): string", "url_get_hostname", ({ hostname }: CelUrl) => hostname, looking)
  .add("kubernetes.URL::getPort(): string", "url_get_port", ({ port }: CelUrl) => port, looking)
  .add("kubernetes.URL::getEscapedPath(): string", "url_get_escaped_path", ({ path }: CelUrl) => path, looking)
  .add("kubernetes.URL::getQuery(): map(string, list(string))", "url_get_query", queryOf, looking)
  .add("isURL(string): bool", "is_url_string", (text: string) => problemOf(text) === undefined);
