import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../test/support/cluster.ts";
import { startRuntime, type TestRuntime } from "../test/support/containerd.ts";
import { BUSYBOX_IMAGE, writeBusyboxImage } from "../test/support/image.ts";
import type { RuntimeEvent } from "./runtime.ts";

let runtime: TestRuntime;
const events: RuntimeEvent[] = [];
let ends = 0;
let stop = () => {};

beforeAll(async () => {
  runtime = await startRuntime();
  stop = runtime.nerdctl.events(
    (event) => events.push(event),
    () => ends++,
  );
});

afterAll(async () => {
  stop();
  await runtime.stop();
});

const start = (flags: string[], command: string[]) =>
  runtime.nerdctl.run({ image: BUSYBOX_IMAGE, name: command.join("-").replace(/\W/g, ""), flags, args: command });
const find = (topic: string, id = "") =>
  eventually(`${topic} of ${id}`, async () =>
    events.find((event) => event.topic === topic && (!id || event.payload.container_id === id)),
  );

test("an image that comes is told", async () => {
  const archive = join(runtime.home, "image.tar");
  await writeBusyboxImage(archive);
  await runtime.nerdctl.load(archive);
  expect((await find("/images/create")).payload).toEqual({});
});

test("containers' ends are told with their codes, and want of memory", async () => {
  const [failed, killed] = await Promise.all([
    start(["--network", "none"], ["sh", "-c", "exit 37"]),
    // The shim listens for want of memory only once the program runs: one that wants it at once may not be told of.
    start(
      ["--network", "none", "-m", "8m", "-v", `${runtime.home}:/home`],
      ["sh", "-c", "until [ -e /home/go ]; do sleep 0.1; done; tail -c 100m /dev/zero | tail"],
    ),
  ]);
  await writeFile(join(runtime.home, "go"), "");
  expect((await find("/tasks/exit", failed.Id)).payload).toEqual({
    container_id: failed.Id,
    id: failed.Id,
    exit_status: 37,
  });
  await find("/tasks/oom", killed.Id);
  expect(events.filter(({ topic }) => topic === "/tasks/start")).toEqual([]);
  await runtime.nerdctl.remove([failed.Id, killed.Id]); // while there is a containerd
});

test("the end of the stream is told once, when containerd ends", async () => {
  expect(ends).toBe(0);
  process.kill(runtime.containerd.pid() ?? 0, "SIGKILL");
  await eventually("the end", async () => ends > 0);
  expect(ends).toBe(1);
});
