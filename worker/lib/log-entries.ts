/** Container logs as the json-file driver's lines, which nodes read and the control plane keeps: `agent/pods/log-writer.ts`. */

/** `time` is RFC 3339 with nanoseconds; `log` has its newline, if that is its line's end; `bytes` is base64 of what is no text. */
export type Entry = { log: string; stream: string; time: string; bytes?: string };

/** Without lines that cannot be read. All are read in one go, where all can be: they may be millions. */
export function parseEntries(lines: string): Entry[] {
  try {
    return (JSON.parse(`[${lines.replaceAll("\n", ",")}]`) as unknown[]).flatMap(entryOf);
  } catch {
    return lines.split("\n").flatMap(parseEntry);
  }
}

function parseEntry(line: string): Entry | [] {
  try {
    return entryOf(JSON.parse(line));
  } catch {
    return [];
  }
}

function entryOf(line: unknown): Entry | [] {
  const { log, stream = "stdout", time = "", bytes } = (line ?? {}) as Partial<Entry>;
  return typeof log === "string" ? { log, stream, time, ...(bytes !== undefined && { bytes }) } : [];
}
