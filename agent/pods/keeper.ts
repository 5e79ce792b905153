/**
 * Holds the input and output of all containers of a node and writes their logs: one process, so that they outlive the
 * agent. containerd's shims keep the pipes open if it is killed, so the next one goes on where it was; what goes with it is
 * what it had just read (up to 64 KiB a stream) and the beginning of a line whose end had not come (16 KiB). Until there is
 * another, containers can print as much as a pipe holds, and then wait; the agent has the pipes open too, for those that
 * end meanwhile.
 *
 * Usage: `node keeper.ts FOLDER`; who wants a container kept sends its `KeptSettings` as a line to `FOLDER/keeper.sock`,
 * is answered by a line, starts it and closes the connection. It ends when there is nothing to keep, or when an agent of
 * another version says its own by `{"version":"…"}`: that one starts another keeper, which goes on where this one stops.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { effects } from "../effects.ts";
import { VERSION } from "../version.ts";
import { controlSocket, discard, KeptContainer, type KeptSettings, keptIds, settingsFile } from "./kept.ts";

/** Containers like to be started one after another. */
const IDLE_MS = 10_000;

const folder = process.argv[2] ?? "";
const kept = new Map<string, KeptContainer>();
let stay = () => {};

function keep(settings: KeptSettings): KeptContainer {
  const deps = { tasks: () => tasksOf(settings), timers: effects, now: effects.now };
  const container = new KeptContainer(settings, deps, () => {
    discard(settingsFile(folder, settings.id));
    kept.delete(settings.id);
    endWhenIdle();
  });
  kept.set(settings.id, container);
  return container;
}

/** HTTP/2 and what goes with it take 10 MB, which few containers have a use for. */
async function tasksOf({ containerd }: KeptSettings) {
  const { ContainerdTasks } = await import("../containerd-tasks.ts");
  return new ContainerdTasks(containerd);
}

function begin(settings: KeptSettings): KeptContainer {
  write(settings);
  try {
    return keep(settings);
  } catch (error) {
    discard(settingsFile(folder, settings.id));
    throw error;
  }
}

function write(settings: KeptSettings): void {
  const file = settingsFile(folder, settings.id);
  writeFileSync(`${file}.new`, JSON.stringify(settings), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function handOver(): void {
  for (const { settings } of kept.values()) if (settings.rests) write(settings);
  process.exit();
}

/** Those of a keeper that was killed. One whose task is gone has no writer, so its output is at its end. */
function resume(): void {
  for (const file of keptIds(folder).map((id) => settingsFile(folder, id)))
    try {
      keep(JSON.parse(readFileSync(file, "utf8")) as KeptSettings).begun();
    } catch {
      discard(file); // its pipes are gone
    }
}

function serve(connection: Socket): void {
  const begun: KeptContainer[] = [];
  connection.on("error", () => {});
  connection.on("close", () => {
    for (const container of begun) container.begun();
  });
  createInterface(connection).on("line", (line) => {
    try {
      const asked = JSON.parse(line) as KeptSettings | { version: string };
      if (!("version" in asked)) begun.push(begin(asked));
      else if (asked.version !== VERSION) handOver();
      connection.write("\n");
    } catch (error) {
      connection.write(`${(error as Error).message}\n`);
    }
  });
}

function endWhenIdle(): void {
  stay();
  stay = effects.after(IDLE_MS, () => kept.size === 0 && process.exit());
}

// What ends the agent's group, or its session, is not meant for the containers.
for (const name of ["SIGHUP", "SIGINT", "SIGTERM"] as const) process.on(name, () => {});
discard(controlSocket(folder));
createServer(serve).listen(controlSocket(folder));
resume();
endWhenIdle();
