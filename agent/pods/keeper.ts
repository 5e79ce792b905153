/**
 * Holds the input and output of all containers of a node that have stdin or a terminal, and writes their logs: one
 * process, so that they outlive the agent. containerd's shims keep the pipes open if it is killed, so the next one goes
 * on where it was. Usage: `node keeper.ts FOLDER`; who wants a container kept sends its `KeptSettings` as a line to
 * `FOLDER/keeper.sock`, is answered by a line, starts it and closes the connection. It ends when there is nothing to keep.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ContainerdTasks } from "../containerd-tasks.ts";
import { effects } from "../effects.ts";
import { controlSocket, KeptContainer, type KeptSettings, settingsFile } from "./kept.ts";

/** Containers like to be started one after another. */
const IDLE_MS = 10_000;

const folder = process.argv[2] ?? "";
const kept = new Set<string>();
let stay = () => {};

function keep(settings: KeptSettings): KeptContainer {
  const file = settingsFile(folder, settings.id);
  const deps = { tasks: new ContainerdTasks(settings.containerd), timers: effects, now: effects.now };
  const container = new KeptContainer(settings, deps, () => {
    rmSync(file, { force: true });
    kept.delete(settings.id);
    endWhenIdle();
  });
  kept.add(settings.id);
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 });
  return container;
}

/** Those of a keeper that was killed. One whose task is gone has no writer, so its output is at its end. */
function resume(): void {
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith(".json")))
    try {
      keep(JSON.parse(readFileSync(join(folder, name), "utf8")) as KeptSettings).begun();
    } catch {
      rmSync(join(folder, name), { force: true }); // its pipes are gone
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
      begun.push(keep(JSON.parse(line) as KeptSettings));
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
resume();
rmSync(controlSocket(folder), { force: true });
createServer(serve).listen(controlSocket(folder));
endWhenIdle();
