/**
 * Scalars with a form of their own, read as their Go types read them and given back as those write them.
 * https://pkg.go.dev/time#Parse, https://pkg.go.dev/encoding/base64
 */

/** Carries the text of the error that Go gives. */
export class ScalarError extends Error {
  override readonly name = "ScalarError";
}

const RFC3339 = "2006-01-02T15:04:05Z07:00";
const RFC3339_MICRO = "2006-01-02T15:04:05.000000Z07:00";

const parts: readonly (readonly [RegExp, string])[] = [
  [/^\d{4}/, "2006"],
  [/^-/, "-"],
  [/^\d{2}/, "01"],
  [/^-/, "-"],
  [/^\d{2}/, "02"],
  [/^T/, "T"],
  [/^\d{2}/, "15"],
  [/^:/, ":"],
  [/^\d{2}/, "04"],
  [/^:/, ":"],
  [/^\d{2}/, "05"],
];
const fraction = [/^\.\d{6}/, ".000000"] as const;
const zone = [/^(Z|[+-]\d{2}:\d{2})/, "Z07:00"] as const;

const usual = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** `metav1.Time`: whole seconds, UTC. */
export function normalTime(text: string): string {
  const time = readTime(text, RFC3339);
  return usual.test(text) ? text : `${time.toISOString().slice(0, 19)}Z`;
}

/** `metav1.MicroTime`: six digits, UTC. */
export function normalMicroTime(text: string): string {
  const time = readTime(text, RFC3339_MICRO);
  return `${time.toISOString().slice(0, 19)}${text.slice(19, 26)}Z`;
}

function readTime(text: string, layout: string): Date {
  const isMicro = layout === RFC3339_MICRO;
  const fail = (why: string) => new ScalarError(`parsing time ${JSON.stringify(text)}${why}`);
  let rest = text;
  for (const [pattern, wanted] of [...parts, ...(isMicro ? [fraction] : []), zone]) {
    // Seconds take a fraction even where the layout has none.
    if (wanted === zone[1] && !isMicro) rest = rest.replace(/^[.,]\d+/, "");
    const match = pattern.exec(rest);
    if (!match)
      throw fail(` as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(wanted)}`);
    rest = rest.slice(match[0].length);
  }
  if (rest) throw fail(`: extra text: ${JSON.stringify(rest)}`);
  const [, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (text.match(/\d+/g) ?? []).map(Number);
  const range =
    month < 1 || month > 12 ? "month" : hour > 23 ? "hour" : minute > 59 ? "minute" : second > 59 ? "second" : "";
  if (range) throw fail(`: ${range} out of range`);
  const time = new Date(text.replace(",", "."));
  if (Number.isNaN(time.getTime()) || day < 1 || day > daysIn(text)) throw fail(": day out of range");
  return time;
}

const daysIn = (text: string) => new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();

/** Base64 with padding; line breaks are let through and dropped. */
export function normalBase64(text: string): string {
  const clean = text.replace(/[\r\n]/g, "");
  const wrong = clean.search(/[^A-Za-z0-9+/]/);
  const padding = wrong < 0 ? 0 : clean.length - wrong;
  const good = wrong < 0 || /^={1,2}$/.test(clean.slice(wrong));
  if (good && padding <= 2 && clean.length % 4 === 0) return clean;
  throw new ScalarError(`illegal base64 data at input byte ${wrong < 0 ? clean.length - (clean.length % 4) : wrong}`);
}
