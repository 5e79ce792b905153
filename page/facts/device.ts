/** The first that is there names it: others call themselves Chrome and Safari, too. */
const BROWSERS = {
  Edge: /\bEdgA?\//,
  Opera: /\bOPR\//,
  Firefox: /\b(?:Firefox|FxiOS)\//,
  Chrome: /\b(?:Chrome|CriOS)\//,
  Safari: /\bSafari\//,
};
const SYSTEMS = {
  Android: /Android/,
  iPhone: /iPhone/,
  iPad: /iPad/,
  Windows: /Windows/,
  ChromeOS: /CrOS/,
  macOS: /Mac OS X/,
  Linux: /Linux/,
};

/** A browser in words by which people know theirs: `Firefox on Android`. */
export function deviceOf(userAgent: string): string {
  const named = (names: Record<string, RegExp>) => Object.entries(names).find(([, mark]) => mark.test(userAgent))?.[0];
  return [named(BROWSERS) ?? "a browser", named(SYSTEMS)].filter(Boolean).join(" on ");
}
