/** Kept portions as the text that `kubectl logs` prints. */
import { concat, fromBase64 } from "../../lib/bytes.ts";
import { isTrue } from "../../lib/query.ts";
import { badRequest } from "../../lib/status.ts";

/** A line of nerdctl's json-file driver: `agent/pods/log-writer.ts`. */
type Entry = { log: string; time: string; bytes?: string };

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
const encoder = new TextEncoder();

async function entriesOf(gzipped: Uint8Array<ArrayBuffer>, { since }: TextOptions): Promise<Entry[]> {
  const plain = new Blob([gzipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  const lines = (await new Response(plain).text()).trimEnd();
  const entries = JSON.parse(`[${lines.replaceAll(NEWLINE, ",")}]`) as Entry[];
  return since > 0 ? entries.filter(({ time }) => Date.parse(time) >= since) : entries;
}

/**
 * The text of portions in their order, each brought when it is wanted. With `tailLines` they are brought from the end,
 * as many as have so many lines.
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
  for await (const entries of options.tailLines === undefined ? each(portions, read) : [await last(portions, read)]) {
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

  async function last(all: readonly P[], reading: typeof read): Promise<Entry[]> {
    const wanted = options.tailLines ?? 0;
    let found: Entry[] = [];
    for (const portion of all.toReversed()) {
      if (found.length >= wanted) break;
      found = [...(await reading(portion)), ...found];
    }
    return wanted === 0 ? [] : found.slice(-wanted);
  }
}

async function* each<P>(portions: readonly P[], read: (portion: P) => Promise<Entry[]>): AsyncGenerator<Entry[]> {
  for (const portion of portions) yield await read(portion);
}
