/** What systemd hears, by its own program: a listener on such a socket as it has, which Node.js cannot make. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { ensurePackages } from "../../test/support/programs.ts";
import { effects } from "../effects.ts";
import { run, spawn } from "../process.ts";
import { notifierFor } from "./notify.ts";

/** Prints what comes, and lets go of the descriptors that come along, as who sent them waits for that. */
const LISTENER = `
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listens", flush=True)
while True:
    data, ancillary, _, _ = s.recvmsg(4096, socket.CMSG_LEN(64))
    for _, _, fds in ancillary:
        a = array.array("i"); a.frombytes(fds[:len(fds) - len(fds) % a.itemsize])
        for fd in a: os.close(fd)
    print(data.decode(), flush=True)
`;

beforeAll(() => ensurePackages({ "systemd-notify": "systemd", "/usr/bin/python3": "python3" }));

test("systemd hears READY, that the agent lives, and STOPPING", async () => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-notify-"));
  const socket = join(folder, "notify");
  const listener = spawn("/usr/bin/python3", ["-c", LISTENER, socket], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => {
    listener.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  let heard = "";
  listener.stdout?.on("data", (chunk: Buffer) => {
    heard += chunk.toString();
  });
  while (!heard.includes("listens")) await once(listener.stdout as NodeJS.ReadableStream, "data");
  const notifier = notifierFor({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: "400000" }, { run, timers: effects });
  const until = async (word: string) => {
    for (let n = 0; n < 10_000 && !heard.includes(word); n++) await effects.sleep(20);
    expect(heard).toContain(word);
  };
  notifier.ready();
  await until("READY=1");
  await until("WATCHDOG=1");
  notifier.stopping();
  await until("STOPPING=1");
});
