/** Which agent a start is to run: the installed one, or one that came as an update. */
import { join } from "node:path";
import type { Home } from "../local/home.ts";
import { become } from "../process.ts";
import { VERSION } from "../version.ts";
import { choose, updateFolder } from "./versions.ts";

/** The code by which an agent that came as an update asks for the installed one to choose again; see run.sh. */
const AGAIN = 75;
/** Set by the installed agent for one that came as an update: the version that was installed. */
const BASE = "SKERRY_BASE";

/** Of the installed agent, with what it was started with; a join token has had its use by then. */
function commandLine(): string[] {
  const words = process.argv.slice(2);
  const kept = words.filter((word, i) => !word.startsWith("--token") && words[i - 1] !== "--token");
  return [...process.execArgv, process.argv[1] ?? "", ...kept];
}

/** The version that was installed, beside which updates lie. */
export const installedVersion = (): string => process.env[BASE] ?? VERSION;

/** This process goes on as the version that is current now, which the installed agent chooses. */
export function renew(): never {
  if (process.env[BASE]) process.exit(AGAIN);
  return become(process.execPath, commandLine());
}

/** Becomes the agent that is to run, if it is another than this program, which was installed. */
export function becomeCurrent(home: Home, log: (message: string) => void): void {
  delete process.env[BASE];
  const choice = choose(home.path, VERSION, log);
  if (choice.run === "base") return;
  process.env[BASE] = VERSION;
  process.env.SKERRY_HOME = home.path;
  const script = join(import.meta.dirname, "run.sh");
  const seconds = String(choice.trial?.seconds ?? 0);
  const { execPath } = process;
  become("/bin/sh", [script, updateFolder(home.path), seconds, execPath, choice.program, execPath, ...commandLine()]);
}
