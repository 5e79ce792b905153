/** What a rule asks of a request, and which of several rules goes first. */

/** A name has this value, or one that the whole of a pattern (RE2) matches. */
export type ValueMatch = { name: string; value: string; isPattern?: true };

/** All of it has to hold. */
export type Match = {
  /** Of a prefix without the slash at its end; "" is the prefix of all paths. */
  path: string;
  isExact: boolean;
  /** The path is a pattern (RE2) that the whole of a request's path has to match. */
  isPattern?: true;
  method?: string;
  /** Names in small letters. */
  headers?: ValueMatch[];
  queries?: ValueMatch[];
};

/**
 * Exact paths first, then patterns and the longest prefix, then whoever asks for a method, for more headers, for more of
 * the query. https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
 */
export function inOrder(a: Match, b: Match): number {
  const more = (measure: (match: Match) => number) => measure(b) - measure(a);
  return (
    more(({ isExact, isPattern }) => (isExact ? 2 : isPattern ? 1 : 0)) ||
    more(({ path }) => path.length) ||
    more(({ method }) => (method ? 1 : 0)) ||
    more(({ headers }) => headers?.length ?? 0) ||
    more(({ queries }) => queries?.length ?? 0)
  );
}
