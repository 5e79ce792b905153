/** What of a URL says what is asked for. */
export type PathAndQuery = {
  readonly pathname: string;
  readonly search: string;
  readonly searchParams: URLSearchParams;
};

/** Paths that `new URL` would leave as they are. */
const PLAIN = /^https?:\/\/[^/?#\\]+(\/[\w./:~@-]*)$/;
const NO_QUERY: URLSearchParams = new URLSearchParams();

/** All who look at a request's URL on its way ask one after another. Nobody changes what they are given. */
let last = { url: "", read: { pathname: "", search: "", searchParams: NO_QUERY } as PathAndQuery };

/** As `new URL` finds them; it is asked only where there is something to find, for it takes as long as a small read. */
export function pathAndQuery(url: string): PathAndQuery {
  if (url !== last.url) last = { url, read: read(url) };
  return last.read;
}

function read(url: string): PathAndQuery {
  const path = PLAIN.exec(url)?.[1];
  if (path === undefined || path.includes("/.")) return new URL(url);
  return { pathname: path, search: "", searchParams: NO_QUERY };
}
