/** What `record.ts` has kept of a release. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

export type Said = {
  commit: string;
  /** ms. */
  now: number;
  revision: number;
  nodeToken: string;
  accountToken: string;
  /** As they were read, by path. */
  objects: Record<string, Record<string, unknown>>;
  secret: string;
};
export type Recorded = { said: Said; sql: readonly string[] };

export function readRecorded(folder: string, name: string): Recorded {
  const said = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Said;
  const text = gunzipSync(readFileSync(join(folder, `${name}.sql.gz`))).toString();
  // A statement ends where a line does; texts within have no newline after a semicolon.
  return { said, sql: text.split(/;\n/).filter((statement) => statement !== "") };
}
