/** Writes `index.ts` from drizzle-kit's journal and SQL files, so that a bundle without a file system has them. */
import { readFileSync, writeFileSync } from "node:fs";

type Journal = { entries: { tag: string }[] };

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const journal = JSON.parse(read("meta/_journal.json")) as Journal;
const migrations = journal.entries.map(({ tag }) => ({
  tag,
  statements: read(`${tag}.sql`)
    .split("--> statement-breakpoint")
    .map((statement) => statement.trim()),
}));

writeFileSync(
  new URL("index.ts", import.meta.url),
  `/** Generated from the SQL files beside it by \`npm run migrations\`. */
export type Migration = { tag: string; statements: readonly string[] };

export const MIGRATIONS: readonly Migration[] = ${JSON.stringify(migrations, null, 2)};
`,
);
