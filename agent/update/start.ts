/** Which agent a start is to run: the installed one, or one that came as an update. */
import { join } from "node:path";
import type { Home } from "../local/home.ts";
import { become } from "../process.ts";
import { becomeLean } from "../program.ts";
import { VERSION } from "../version.ts";
import { choose, updateFolder } from "./versions.ts";

/** The code by which an agent that came as an update asks for the installed one to choose again; see run.sh. */
const AGAIN = 75;
/** Set for an agent that came as an update: the version that was installed. */
const BASE = "SKERRY_BASE";
/** Set for the installed agent: the command line, in JSON, of what chooses which agent is to run. */
const CHOOSER = "SKERRY_CHOOSER";

/** Of this process, with what it was started with; a join token has had its use by then. */
function commandLine(): string[] {
  const words = process.argv.slice(2);
  const kept = words.filter((word, i) => !word.startsWith("--token") && words[i - 1] !== "--token");
  return [...process.execArgv, process.argv[1] ?? "", ...kept];
}

/** The version that was installed, beside which updates lie. */
export const installedVersion = (): string => process.env[BASE] ?? VERSION;

/** This agent gives way to the version that is current now. */
export function renew(): never {
  if (process.env[BASE]) process.exit(AGAIN);
  return become(process.execPath, JSON.parse(process.env[CHOOSER] ?? "[]") as string[]);
}

/** This process becomes the agent that is to run, `program` being the installed one. */
export function becomeCurrent(home: Home, program: string, log: (message: string) => void): never {
  const { env, execPath } = process;
  const choice = choose(home.path, VERSION, log);
  env.SKERRY_HOME = home.path;
  delete env[BASE];
  env[CHOOSER] = JSON.stringify(commandLine());
  if (choice.run === "base") return becomeLean([program, "agent"]);
  env[BASE] = VERSION;
  const script = join(import.meta.dirname, "run.sh");
  const seconds = String(choice.trial?.seconds ?? 0);
  return become("/bin/sh", [
    ...[script, updateFolder(home.path), seconds, execPath, choice.program],
    ...[execPath, ...commandLine()],
  ]);
}
