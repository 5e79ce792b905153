/** What of a URL says what is asked for. */
export type PathAndQuery = { pathname: string; searchParams: URLSearchParams };

/** Paths that `new URL` would leave as they are. */
const PLAIN = /^https?:\/\/[^/?#\\]+(\/[\w./:~@-]*)$/;
const NO_QUERY: URLSearchParams = new URLSearchParams();

/** As `new URL` finds them; it is asked only where there is something to find, for it takes as long as a small read. */
export function pathAndQuery(url: string): PathAndQuery {
  const path = PLAIN.exec(url)?.[1];
  return path === undefined || path.includes("/.") ? new URL(url) : { pathname: path, searchParams: NO_QUERY };
}
