/** Skerry as its package runs it, in a home of its own. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { effects } from "../../../agent/effects.ts";
import { administrator } from "../../../agent/local/credentials.ts";
import { files } from "../../../agent/local/home.ts";
import { freePort } from "../../support/free-port.ts";
import { checked } from "../../support/programs.ts";
import { Server } from "../../support/server.ts";
import { type ControlPlane, type ControlPlaneOptions, firstAnswer } from "../control-plane.ts";
import { memoryOf } from "../processes.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PROGRAM = join(ROOT, "dist/skerry.js");
let built: Promise<string> | undefined;

/** `npm run build`, once: users run the package, not its sources. The program's path. */
export function build(): Promise<string> {
  built ??= checked(process.execPath, [join(ROOT, "agent/local/build.ts")], { cwd: ROOT }).then(() => PROGRAM);
  return built;
}

export async function startSkerry({ controllers }: ControlPlaneOptions): Promise<ControlPlane> {
  await build();
  const path = mkdtempSync(join(tmpdir(), "skerry-bench-"));
  const home = { path, port: await freePort() };
  const start = effects.now();
  const flags = ["up", "--no-agent", ...(controllers ? [] : ["--no-controllers"])];
  const supervisor = new Server(path, "supervisor", process.execPath, [PROGRAM, ...flags], {
    SKERRY_HOME: path,
    SKERRY_PORT: String(home.port),
  });
  // The supervisor stops workerd.
  const stop = async () => {
    await supervisor.stop();
    rmSync(path, { recursive: true, force: true });
  };
  try {
    // Its files are there before it answers.
    const isWritten = () => existsSync(files(path).caCertificate) && existsSync(files(path).secret);
    while (!isWritten()) await effects.sleep(1);
    const endpoint = await administrator(home);
    const startMs = await firstAnswer(
      () => endpoint,
      start,
      () => [supervisor],
    );
    const parts: [string, number][] = [
      ["supervisor", supervisor.pid],
      ["workerd", workerdOf(path)],
    ];
    const memory = () => parts.map(([name, pid]) => memoryOf(name, pid));
    return { endpoint, caFile: files(path).caCertificate, startMs, memory, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function workerdOf(home: string): number {
  const config = files(home).workerConfig;
  const isOurs = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`serve\0${config}`);
    } catch {
      return false; // it has ended meanwhile
    }
  };
  return Number(readdirSync("/proc").find((name) => /^\d+$/.test(name) && isOurs(name)));
}
