/** Where the agent's state lies, and what becomes of it when that cannot be read or written. */
import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { errorText } from "../worker/lib/error-text.ts";
import { privateDatabase } from "./local/home.ts";
import type { Writability } from "./node/writability.ts";
import { State } from "./state.ts";

/** Where files cost no disk, if the machine has it. */
const MEMORY = "/dev/shm";
/** What SQLite keeps beside a database. */
const PARTS = ["", "-wal", "-shm"];
/** SQLite's own names: https://www.sqlite.org/rescode.html */
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/**
 * The state at `path`. A file that is no database any more (the power went, or the disk did) is set aside as `.broken`,
 * and the cluster tells all anew; where the disk cannot be written, a copy in memory serves until it can.
 */
export function openState(path: string, writability: Writability, log: (message: string) => void): State {
  const reopen = () => new DatabaseSync(privateDatabase(path));
  try {
    return new State(reopen(), writability);
  } catch (error) {
    const code = (error as { errcode?: number }).errcode ?? 0;
    if (isBroken(error, code)) {
      log(`${path} cannot be read any more (${errorText(error)}): it is set aside as ${path}.broken`);
      for (const part of PARTS) if (existsSync(path + part)) renameSync(path + part, `${path}.broken${part}`);
      return new State(reopen(), writability);
    }
    log(`${path} cannot be written (${errorText(error)}): the node goes on with a copy in memory`);
    writability.failed("agent.db", error);
    return new State(copyOf(path, log), writability, reopen);
  }
}

/** The low byte is the primary code. A row that is no JSON was torn below SQLite. */
const isBroken = (error: unknown, code: number) =>
  error instanceof SyntaxError || (code & 0xff) === CORRUPT || (code & 0xff) === NOT_A_DATABASE;

/** With the log of writes that are not in the main file yet. Nothing is ever written to it. */
function copyOf(path: string, log: (message: string) => void): DatabaseSync {
  const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "skerry-state-"));
  const memory = new DatabaseSync(":memory:");
  try {
    const copy = join(folder, "agent.db");
    for (const part of ["", "-wal"]) if (existsSync(path + part)) copyFileSync(path + part, copy + part);
    if (!existsSync(copy)) return memory;
    memory.exec(`ATTACH '${copy}' AS disk`);
    for (const { name } of memory.prepare("SELECT name FROM disk.sqlite_schema WHERE type = 'table'").all())
      memory.exec(`CREATE TABLE "${name}" AS SELECT * FROM disk."${name}"`);
    memory.exec("DETACH disk");
    return memory;
  } catch (error) {
    log(`nor can it be read (${errorText(error)}): the cluster tells all anew`);
    return new DatabaseSync(":memory:");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
