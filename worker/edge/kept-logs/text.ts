/** Kept portions as the text that `kubectl logs` prints. */
import { concat, fromBase64 } from "../../lib/bytes.ts";
import { type Entry, parseEntries } from "../../lib/log-entries.ts";
import { isTrue } from "../../lib/query.ts";
import { badRequest } from "../../lib/status.ts";
import { gunzipText } from "./gunzip.ts";

export type TextOptions = {
  timestamps: boolean;
  tailLines: number | undefined;
  limitBytes: number;
  /** Lines from before this are left out, ms since the epoch. */
  since: number;
};

/** Of `kubectl logs`: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod */
export function textOptions(query: URLSearchParams, now: number): TextOptions {
  const number = (name: string) => {
    const text = query.get(name);
    if (text && !/^\d{1,15}$/.test(text)) throw badRequest(`${name} must be a number, not ${JSON.stringify(text)}`);
    return text ? Number(text) : undefined;
  };
  const seconds = number("sinceSeconds");
  const time = query.get("sinceTime");
  if (time && Number.isNaN(Date.parse(time))) throw badRequest(`${JSON.stringify(time)} is no time`);
  return {
    timestamps: isTrue(query.get("timestamps")),
    tailLines: number("tailLines"),
    limitBytes: number("limitBytes") ?? Number.POSITIVE_INFINITY,
    since: seconds !== undefined ? now - seconds * 1000 : time ? Date.parse(time) : 0,
  };
}

const NEWLINE = "\n";
/** Of a portion: eight times what a node sends. */
const MAX_PLAIN_BYTES = 4 * 1024 * 1024;
const encoder = new TextEncoder();

/** None of what is no portion: it hides no other. */
async function entriesOf(gzipped: Uint8Array<ArrayBuffer>, { since }: TextOptions): Promise<Entry[]> {
  const entries = parseEntries(((await gunzipText(gzipped, MAX_PLAIN_BYTES)) ?? "").trimEnd());
  return since > 0 ? entries.filter(({ time }) => Date.parse(time) >= since) : entries;
}

/**
 * The text of portions in their order, each brought when it is wanted, so that one at a time is in memory. With `tailLines`
 * those that have so many lines are brought twice: from the end to count, then to be read.
 */
export async function* keptText<P extends { last: number }>(
  portions: readonly P[],
  bring: (portion: P) => Promise<Uint8Array<ArrayBuffer> | undefined>,
  options: TextOptions,
): AsyncGenerator<Uint8Array> {
  const read = async (portion: P) => {
    const bytes = portion.last < options.since ? undefined : await bring(portion);
    return bytes ? entriesOf(bytes, options) : [];
  };
  let left = options.limitBytes;
  let isNewLine = true;
  const { wanted, skipped } = await tailOf(
    portions,
    options.tailLines,
    async (portion) => (await read(portion)).length,
  );
  for (const [at, portion] of wanted.entries()) {
    const entries = (await read(portion)).slice(at === 0 ? skipped : 0);
    const text = concat(entries.flatMap(partsOf)).subarray(0, Math.min(left, Number.MAX_SAFE_INTEGER));
    left -= text.length;
    if (text.length > 0) yield text;
    if (left <= 0) return;
  }

  function partsOf({ log, time, bytes }: Entry): Uint8Array[] {
    const begins = isNewLine && options.timestamps;
    isNewLine = log.endsWith(NEWLINE);
    const line = bytes === undefined ? encoder.encode(log) : fromBase64(bytes);
    return begins ? [encoder.encode(`${time} `), line] : [line];
  }
}

/** The portions that the last lines lie in, and how many lines of the first are before those. */
async function tailOf<P>(
  portions: readonly P[],
  lines: number | undefined,
  count: (portion: P) => Promise<number>,
): Promise<{ wanted: readonly P[]; skipped: number }> {
  if (lines === undefined) return { wanted: portions, skipped: 0 };
  let counted = 0;
  let begin = portions.length;
  for (const portion of portions.toReversed()) {
    if (counted >= lines) break;
    counted += await count(portion);
    begin--;
  }
  return { wanted: portions.slice(begin), skipped: Math.max(0, counted - lines) };
}
