import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { effects } from "../effects.ts";
import { Plugins } from "./plugins.ts";

const POLL = { timeout: 60_000, interval: 20 };

let root: string;
let plugins: Plugins;
let logged: string[];
const servers: Server[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "plugins-"));
  logged = [];
  plugins = new Plugins({
    root,
    timers: effects,
    registered: async () => {},
    gone: async () => {},
    log: (message) => logged.push(message),
  });
});
afterEach(() => {
  plugins.stop();
  for (const server of servers.splice(0)) server.close();
  rmSync(root, { recursive: true, force: true });
});

const registry = () => join(root, "plugins_registry");

/** A socket of no driver: that it is asked shows in the log. */
async function listen(name: string): Promise<string> {
  const path = join(registry(), name);
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return path;
}
const asked = (path: string) =>
  vi.waitFor(() => expect(logged).toContainEqual(expect.stringMatching(`^${path}: `)), POLL);

test("what leads nowhere among drivers' sockets holds up nobody", async () => {
  plugins.start();
  symlinkSync("loop", join(registry(), "loop"));
  symlinkSync("nothing", join(registry(), "nothing"));
  plugins.start();
  await asked(await listen("driver.sock"));
});

test("the sockets' folder is made again when it is gone, and drivers are found in the new one", async () => {
  plugins.start();
  rmSync(registry(), { recursive: true });
  await vi.waitFor(() => expect(existsSync(registry())).toBe(true), POLL);
  expect(readdirSync(registry())).toEqual([]);
  await asked(await listen("driver.sock"));
});
