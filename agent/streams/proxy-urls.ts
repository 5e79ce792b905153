/** URLs in what a program answers, as a client sees them that reached it through the API's proxy. */

export type Around = {
  /** The path under which the client sees the program's `/`. */
  prefix: string;
  /** Names of the program's own host, each with its port as it may stand in a URL. */
  hosts: readonly string[];
};

/**
 * A path on the program's own host gets the prefix and loses the host, as the API server that answers is another one.
 * What is relative or elsewhere stays as it is.
 */
export function rewriteUrl(url: string, { prefix, hosts }: Around): string {
  const match = /^(?:([a-z][a-z0-9+.-]*:)?\/\/([^/?#]*))?([^?#]*)(.*)$/is.exec(url);
  const [, scheme, host = "", path = "", rest = ""] = match ?? [];
  if (!match || (scheme && !/^https?:$/i.test(scheme))) return url;
  if ((host !== "" && !hosts.includes(host)) || !path.startsWith("/")) return url;
  return (path.startsWith(prefix) ? path : prefix + path) + rest;
}
