/**
 * Which requests may be for an app that an Ingress names, by their host name. Names of the API's own never are:
 *
 * - addresses, names of one label (`localhost`), and those of `kubernetes.default` in the cluster,
 * - `*.workers.dev`,
 * - what `SKERRY_API_HOSTS` lists; `skerry up` puts this machine's name there,
 * - and, as the Cluster object remembers, every name by which a node has come, or the administrator while no Ingress had it.
 */

/** How long a name that no Ingress has is taken for one of the API's without asking again, ms. */
const NOT_NAMED_MS = 2_000;
/** Anyone can make names up. */
const MAX_REMEMBERED = 1_000;

const OWN = /^(?:[^.]*|[\d.]+|\[.*\]|kubernetes\.default(?:\.svc(?:\..*)?)?|(?:.*\.)?workers\.dev)$/;

/** `host:port` of a URL, as it stands there. */
function authorityOf(url: string): string {
  const start = url.indexOf("//") + 2;
  const end = url.indexOf("/", start);
  return end < 0 ? url.slice(start) : url.slice(start, end);
}

export const hostOf = (authority: string): string => authority.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();

export class AppHosts {
  readonly #now: () => number;
  /** Until when an authority is one of the API's, ms. */
  readonly #ours = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The host that an Ingress may have; undefined for the API's. `apiHosts` is joined by commas. */
  find(url: string, apiHosts = ""): string | undefined {
    const authority = authorityOf(url);
    const until = this.#ours.get(authority);
    if (until !== undefined && (until === Number.POSITIVE_INFINITY || until > this.#now())) return undefined;
    const host = hostOf(authority);
    if (!OWN.test(host) && !apiHosts.split(",").some((own) => hostOf(own.trim()) === host)) return host;
    this.remember(url, true);
    return undefined;
  }

  /** The URL's name is one of the API's: for good, or as long as no Ingress has it. */
  remember(url: string, isForGood: boolean): void {
    if (this.#ours.size >= MAX_REMEMBERED) this.#ours.clear();
    this.#ours.set(authorityOf(url), isForGood ? Number.POSITIVE_INFINITY : this.#now() + NOT_NAMED_MS);
  }
}
