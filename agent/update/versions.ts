/**
 * The agent's versions on this machine. What was installed is the base; what the cluster sent lies beside it:
 *
 *     HOME/agent/versions/0.2.0/   the unpacked archive, with the base's version that it came to in `base`
 *     HOME/agent/current           a link to the one that runs; absent while that is the base
 *     HOME/agent/trial.json        the current one has not been heard by the cluster yet
 *     HOME/agent/late              it was not heard in its time
 *     HOME/agent/failed.json       the version that this agent came back from
 *
 * Each file is written whole and in this order, so that a machine which loses its power at any moment starts a version
 * that works: a version is there before it is on trial, and on trial before it is current.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorText } from "../../worker/lib/error-text.ts";

/** A version that ends so often before the cluster has heard it is given up. */
const MOST_TRIES = 3;

export type Trial = {
  version: string;
  /** What ran before; "" for the base. */
  previous: string;
  /** How often it was started so far. */
  tries: number;
  /** So long it may take to be heard each time, s. */
  seconds: number;
};
/** `sha256` is of its archive: the same version may be built anew. */
export type Failure = { version: string; why: string; sha256: string };

/** What is to run: a version of its own, or the base. */
export type Choice = { run: "base" } | { run: "version"; program: string; trial?: Trial };

const places = (home: string) => {
  const root = join(home, "agent");
  return {
    root,
    versions: join(root, "versions"),
    current: join(root, "current"),
    trial: join(root, "trial.json"),
    late: join(root, "late"),
    failed: join(root, "failed.json"),
  };
};

/** Where the files of an update are. */
export const updateFolder = (home: string): string => places(home).root;

/** A version's name is a folder's. */
export const isVersion = (text: string): boolean => /^\d[\w.+-]{0,63}$/.test(text) && !text.includes("..");

/** Which version runs beside the base; "" for none. */
function currentVersion(home: string): string {
  try {
    return basename(readlinkSync(places(home).current));
  } catch {
    return "";
  }
}

/** Makes a version out of its files, by name. It is not run before `begin`. */
export function unpack(home: string, version: string, files: ReadonlyMap<string, Uint8Array>, base: string): void {
  const { versions } = places(home);
  const folder = join(versions, version);
  rmSync(`${folder}.new`, { recursive: true, force: true });
  mkdirSync(`${folder}.new`, { recursive: true, mode: 0o755 });
  for (const [name, bytes] of files) writeFileSync(join(`${folder}.new`, basename(name)), bytes, { flush: true });
  writeFileSync(join(`${folder}.new`, "base"), base, { flush: true });
  sync(`${folder}.new`);
  rmSync(folder, { recursive: true, force: true });
  renameSync(`${folder}.new`, folder);
  sync(versions);
}

/** From the next start on the version runs, on trial. */
export function begin(
  home: string,
  { version, seconds, sha256 }: { version: string; seconds: number; sha256: string },
): void {
  const { root, trial, late } = places(home);
  rmSync(late, { force: true });
  const entry: Trial & { sha256: string } = { version, previous: currentVersion(home), tries: 0, seconds, sha256 };
  put(trial, JSON.stringify(entry));
  point(home, version);
  sync(root);
}

/** The cluster has heard the version that runs: it stays, and others but the one before it go. */
export function confirm(home: string): void {
  const { trial, versions, late, failed } = places(home);
  const tried = readTrial(home);
  if (!tried) return;
  rmSync(late, { force: true });
  rmSync(failed, { force: true });
  rmSync(trial, { force: true });
  sync(dirname(trial));
  for (const name of readdirSync(versions))
    if (name !== tried.version && name !== tried.previous)
      rmSync(join(versions, name), { recursive: true, force: true });
}

/** Decides what is to run now, `base` being the installed version. To be asked once at each start, by the base alone. */
export function choose(home: string, base: string, log: (message: string) => void): Choice {
  try {
    return chosen(home, base, log);
  } catch (error) {
    // A disk that cannot be written: what is installed works, and so does what was confirmed.
    log(`updates: ${errorText(error)}`);
    const version = currentVersion(home);
    return version && !existsSync(places(home).trial) ? runs(home, version) : { run: "base" };
  }
}

function chosen(home: string, base: string, log: (message: string) => void): Choice {
  const { trial, late, versions } = places(home);
  const version = currentVersion(home);
  if (!version) return { run: "base" };
  if (!existsSync(join(versions, version, PROGRAM)) || read(join(versions, version, "base")) !== base) {
    // Something newer was installed since, or the version is gone.
    rmSync(trial, { force: true });
    point(home, "");
    return { run: "base" };
  }
  const tried = readTrial(home);
  if (!tried) return runs(home, version);
  if (tried.version !== version) {
    rmSync(trial); // the power went before it was made current
    return runs(home, version);
  }
  const why = existsSync(late)
    ? `the cluster did not hear of it within ${tried.seconds} s`
    : tried.tries >= MOST_TRIES
      ? `it ended ${tried.tries} times before the cluster heard of it`
      : undefined;
  if (why === undefined) {
    const next = { ...tried, tries: tried.tries + 1 };
    put(trial, JSON.stringify(next));
    return { ...runs(home, version), trial: next };
  }
  log(`version ${version} is given up: ${why}`);
  rollBack(home, tried, why);
  return tried.previous && existsSync(join(versions, tried.previous, PROGRAM))
    ? runs(home, tried.previous)
    : { run: "base" };
}

function rollBack(home: string, { version, previous, sha256 }: Trial & { sha256: string }, why: string): void {
  const { failed, trial, late, versions, root } = places(home);
  put(failed, JSON.stringify({ version, why, sha256 } satisfies Failure));
  point(home, existsSync(join(versions, previous, PROGRAM)) ? previous : "");
  rmSync(trial, { force: true });
  rmSync(late, { force: true });
  sync(root);
}

/** Which version was given up last, until another is confirmed. */
export function failure(home: string): Failure | undefined {
  const text = read(places(home).failed);
  return text ? (JSON.parse(text) as Failure) : undefined;
}

/** The file of an archive that runs the agent. */
export const PROGRAM = "skerry.js";

const runs = (home: string, version: string): Choice & { run: "version" } => ({
  run: "version",
  program: join(places(home).versions, version, PROGRAM),
});

function readTrial(home: string): (Trial & { sha256: string }) | undefined {
  const text = read(places(home).trial);
  return text ? (JSON.parse(text) as Trial & { sha256: string }) : undefined;
}

/** Makes a version the current one, at once or not at all; "" is the base. */
function point(home: string, version: string): void {
  const { current, versions } = places(home);
  if (!version) return rmSync(current, { force: true });
  rmSync(`${current}.new`, { force: true });
  symlinkSync(join(basename(versions), version), `${current}.new`);
  renameSync(`${current}.new`, current);
}

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, text, { flush: true });
  renameSync(`${path}.new`, path);
  sync(dirname(path));
}

/** Makes the names in a folder outlive a loss of power. */
function sync(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
