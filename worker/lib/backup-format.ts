/**
 * A cluster's whole state as one text: lines of JSON, in parts that each end with a check.
 *
 *   {"format":"skerry.backup","version":1,"kubernetes":"v1.35.4","cluster":{"id":"…","name":"…"},"revision":42,"time":"…"}
 *   {"setting":"cluster.authority","value":"…"}
 *   {"credential":{"hash":"…","kind":"node","subject":"a","expires":null}}
 *   {"resource":"pods","object":{…}}
 *   {"check":"…"}
 *   …
 *   {"end":{"settings":5,"credentials":1,"objects":310}}
 *   {"check":"…"}
 *
 * All objects are as they lay in storage at one revision, whatever was written meanwhile. A check is the SHA-256 (hex) of
 * the check before it ("" before the first) followed by the bytes of its part, so that nothing can be lost, changed or
 * moved unseen, and a reader need not hold more than a part. What follows the `end` is no part of it. Readers pass over
 * fields that they do not know; what they could not do without raises the version.
 */
import { concat, hex } from "./bytes.ts";

export const FORMAT = "skerry.backup";
/** The newest that this release reads; it reads all before. */
export const FORMAT_VERSION = 1;

export type Header = {
  format: typeof FORMAT;
  version: number;
  /** The release whose objects these are. */
  kubernetes: string;
  cluster: { id: string; name: string };
  revision: number;
  /** RFC 3339. */
  time: string;
};
export type Counts = { settings: number; credentials: number; objects: number };

/** A text that is no backup, or not a whole one, or of a release that is yet to come. The message is for the user. */
export class BackupError extends Error {
  override readonly name = "BackupError";
}

/** A part is whole when its lines have come to so many bytes; the last of them may be an object of 1.5 MiB. */
export const PART_BYTES = 256 * 1024;
const MAX_PART_BYTES = 3 * 1024 * 1024;

const NEWLINE = 10;
const CHECK = '{"check":"';
const END = '{"end":';
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export type Part = {
  /** As it was read or is to be written, with its check. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Without the check. */
  lines: string[];
  check: string;
  isLast: boolean;
};

async function checkOf(previous: string, body: Uint8Array<ArrayBuffer>): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", concat([encoder.encode(previous), body])));
}

/** `previous`: the check of the part before it. */
export async function sealPart(previous: string, lines: string[]): Promise<Part> {
  const body = new Uint8Array(encoder.encode(`${lines.join("\n")}\n`));
  const check = await checkOf(previous, body);
  const bytes = concat([body, encoder.encode(`${CHECK}${check}"}\n`)]);
  return { bytes, lines, check, isLast: lines.at(-1)?.startsWith(END) ?? false };
}

/** One part, checked. Throws BackupError. */
export async function openPart(previous: string, bytes: Uint8Array<ArrayBuffer>): Promise<Part> {
  if (bytes.at(-1) !== NEWLINE) throw new BackupError("the backup is truncated");
  const start = bytes.lastIndexOf(NEWLINE, bytes.length - 2) + 1;
  const lines = textOf(bytes.subarray(0, start)).split("\n").slice(0, -1);
  const last = textOf(bytes.subarray(start, -1));
  const check = await checkOf(previous, bytes.slice(0, start));
  if (last !== `${CHECK}${check}"}`) throw new BackupError("the backup is corrupted: a check does not hold");
  return { bytes, lines, check, isLast: lines.at(-1)?.startsWith(END) ?? false };
}

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new BackupError("the backup is corrupted: it is not UTF-8");
  }
}

/** The parts of a text that comes in any pieces, each checked, and all of them or a BackupError. */
export async function* readParts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Part> {
  let check = "";
  let last: Part | undefined;
  for await (const bytes of split(chunks)) {
    if (last?.isLast) throw new BackupError("the backup is corrupted: something follows its end");
    if (!last) parseHeader(textOf(bytes.subarray(0, Math.max(0, bytes.indexOf(NEWLINE)))));
    last = await openPart(check, bytes);
    check = last.check;
    yield last;
  }
  if (!last) throw new BackupError("this is no backup of a cluster: it is empty");
  if (!last.isLast) throw new BackupError("the backup is truncated");
}

/** The bytes up to and with each check. */
async function* split(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const opening = encoder.encode(CHECK);
  let part: Uint8Array[] = [];
  let size = 0;
  let line: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const whole = line.length > 0 ? concat([line, chunk.subarray(from, end + 1)]) : chunk.subarray(from, end + 1);
      line = new Uint8Array();
      from = end + 1;
      part.push(whole);
      size += whole.length;
      if (size > MAX_PART_BYTES) throw notABackup(part);
      if (!opening.every((byte, i) => whole[i] === byte)) continue;
      yield concat(part);
      part = [];
      size = 0;
    }
    line = concat([line, chunk.subarray(from)]);
    if (line.length > MAX_PART_BYTES) throw notABackup([...part, line]);
  }
  // What is left has no check: the caller finds the end missing, or that there was no beginning.
  if (size + line.length > 0) yield concat([...part, line]);
}

function notABackup(part: readonly Uint8Array[]): BackupError {
  const start = (part[0] ?? new Uint8Array()).subarray(0, 100);
  const isOurs = new TextDecoder().decode(start).includes(`"format":"${FORMAT}"`);
  return new BackupError(isOurs ? "the backup is corrupted: a check is missing" : FOREIGN);
}

const FOREIGN = "this is no backup of a cluster, or it is encrypted";

/** Throws BackupError for what another program made, and what a newer release made. */
export function parseHeader(line: string): Header {
  const header = parseLine(line, FOREIGN) as Partial<Header>;
  if (header.format !== FORMAT || !Number.isSafeInteger(header.version)) throw new BackupError(FOREIGN);
  if ((header.version as number) > FORMAT_VERSION)
    throw new BackupError(
      `the backup is of format ${header.version}, made by a newer release: this one reads up to ${FORMAT_VERSION}`,
    );
  if (!Number.isSafeInteger(header.revision) || typeof header.cluster?.id !== "string")
    throw new BackupError("the backup is corrupted: its first line lacks what it must say");
  return header as Header;
}

export function parseLine(line: string, message = "the backup is corrupted: a line is no JSON object"): object {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // the same answer
  }
  throw new BackupError(message);
}
