/** Runs the load client: a small Go program, so that it takes as little of the machine as it can. */
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { cachePath } from "../../agent/local/home.ts";
import { which } from "../../agent/local/install.ts";
import { spawn } from "../../agent/process.ts";
import { checked } from "../support/programs.ts";
import type { ControlPlane } from "./control-plane.ts";

const SOURCES = join(import.meta.dirname, "client");
const TIMEOUT_MS = 300_000;

/** The path of the client, built when its sources are newer. */
async function clientProgram(): Promise<string> {
  const path = join(cachePath(process.env), "bench-client");
  const sources = readdirSync(SOURCES).map((name) => join(SOURCES, name));
  const newest = Math.max(...sources.map((source) => statSync(source).mtimeMs));
  if (existsSync(path) && statSync(path).mtimeMs > newest) return path;
  const go = which("go", ["/usr/local/go/bin"]);
  if (!go) throw new Error("the load client is written in Go, and there is no Go toolchain on the PATH");
  mkdirSync(cachePath(process.env), { recursive: true });
  const env = { ...process.env, CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOFLAGS: "" };
  await checked(go, ["build", "-o", `${path}.new`, ...sources], { env, timeoutMs: TIMEOUT_MS });
  renameSync(`${path}.new`, path);
  return path;
}

const argumentsFor = ({ endpoint, caFile }: ControlPlane, args: readonly string[]) => [
  "-url",
  endpoint.url,
  "-ca",
  caFile,
  "-token",
  endpoint.token,
  ...args,
];

/** Runs one command of the client to its end. */
export async function client<T>(plane: ControlPlane, ...args: string[]): Promise<T> {
  const { stdout } = await checked(await clientProgram(), argumentsFor(plane, args), { timeoutMs: TIMEOUT_MS });
  return JSON.parse(stdout) as T;
}

/**
 * Starts a command that runs until it is told to stop, and then says what it saw. Resolves when it has begun, which it
 * says by a line.
 */
export async function clientUntilStopped<T>(plane: ControlPlane, ...args: string[]): Promise<() => Promise<T>> {
  const child = spawn(await clientProgram(), argumentsFor(plane, args), { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? 1)));
  const lines = createInterface(child.stdout as Readable)[Symbol.asyncIterator]();
  await lines.next();
  return async () => {
    child.stdin?.end();
    const { value = "" } = await lines.next();
    const code = await ended;
    if (code !== 0) throw new Error(`the client ended with ${code}`);
    return JSON.parse(value) as T;
  };
}
