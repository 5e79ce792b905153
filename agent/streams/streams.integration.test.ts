import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { startRuntime, type TestRuntime } from "../../test/support/containerd.ts";
import { BUSYBOX_IMAGE, writeBusyboxImage } from "../../test/support/image.ts";
import type { PodStreamRequest } from "../../worker/protocol/link.ts";
import { effects } from "../effects.ts";
import type { FoundContainer } from "../pods/found.ts";
import { Keeper } from "../pods/keeping.ts";
import type { Sandbox } from "../pods/memory.ts";
import { spawn } from "../process.ts";
import { serveOn } from "./serve.ts";
import { FrameReader, writeFrame } from "./spdy/frames.ts";
import { HeaderWriter } from "./spdy/headers.ts";

/** What the agent knows of one container, and the client's end of a socket to it. */
class Client {
  readonly socket: WebSocket;
  readonly output: Record<number, string> = {};
  readonly closed: Promise<unknown>;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = once(socket, "close");
    socket.on("message", (message: Buffer) => {
      const channel = message[0] ?? -1;
      this.output[channel] = (this.output[channel] ?? "") + message.subarray(1).toString("latin1");
    });
  }

  send(channel: number, data: string | Buffer): void {
    this.socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(data)]));
  }

  async until(channel: number, what: string): Promise<void> {
    const output = () => this.output[channel] ?? "";
    await eventually(
      what,
      () => output().includes(what),
      () => JSON.stringify(this.output),
    );
  }

  /** The Status on the error channel, when all is over. */
  async status(): Promise<{ status: string; message?: string; details?: { causes?: { message?: string }[] } }> {
    await this.closed;
    return JSON.parse(this.output[3] ?? "{}");
  }
}

async function eventually(what: string, condition: () => boolean, found = () => "", ms = 300_000): Promise<void> {
  for (let waited = 0; !condition(); waited += 20) {
    if (waited > ms) throw new Error(`never came true: ${what}, only ${found()}`);
    await effects.sleep(20);
  }
}

const PROTOCOLS: Record<PodStreamRequest["kind"], string> = {
  exec: "v5.channel.k8s.io",
  attach: "v5.channel.k8s.io",
  log: "",
  portforward: "SPDY/3.1+portforward.k8s.io",
};

const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
};
const commandLines = () =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(commandLine);
const ownChildren = () =>
  readFileSync("/proc/thread-self/children", "utf8").split(" ").filter(Boolean).map(commandLine);

describe("streams to a real container", () => {
  let runtime: TestRuntime;
  let server: WebSocketServer;
  let keeper: Keeper;
  const containers = new Map<string, FoundContainer>();
  let sandbox: Sandbox | undefined;

  async function found(id: string, extra: Partial<FoundContainer> = {}): Promise<FoundContainer> {
    const [made] = await runtime.nerdctl.inspect([id]);
    const { Pid: pid, Running: running } = made?.State ?? { Pid: 0, Running: false };
    return { containerId: id, pid, logPath: made?.LogPath ?? "", running, tty: false, stdin: false, ...extra };
  }

  async function start(name: string, script: string): Promise<FoundContainer> {
    const options = { image: BUSYBOX_IMAGE, flags: ["--network", "none"], args: ["sh", "-c", script] };
    const container = await found((await runtime.nerdctl.run(options)).Id);
    containers.set(name, container);
    return container;
  }

  async function startKept(name: string, args: string[], given: { tty: boolean; once: boolean }): Promise<void> {
    const options = { image: BUSYBOX_IMAGE, flags: ["--network", "none"], args };
    const { Id: id } = await keeper.run(options, { stdin: true, ...given });
    containers.set(name, await found(id, { attachSocket: keeper.socketOf(id), tty: given.tty, stdin: true }));
  }

  /** A pair of sockets stands in for the Relay. */
  async function open(
    kind: PodStreamRequest["kind"],
    container: string,
    query: [string, string][] = [],
    subprotocol = PROTOCOLS[kind],
  ) {
    const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const client = new Client(socket);
    const [near] = (await once(server, "connection")) as [WebSocket];
    await once(socket, "open");
    const request = { id: "1", kind, namespace: "default", pod: "p", uid: "", container, query, subprotocol };
    const pods = { find: () => containers.get(container), sandboxOf: () => sandbox };
    void serveOn(near, request, {
      nerdctl: runtime.nerdctl,
      pods,
      node: { answer: () => Promise.reject(new Error("not asked")) },
      effects,
      log: () => {},
    });
    return client;
  }

  const exec = (command: string[], ...flags: string[]) =>
    open("exec", "main", [
      ...command.map((word): [string, string] => ["command", word]),
      ...["stdout", "stderr", ...flags].map((flag): [string, string] => [flag, "true"]),
    ]);

  beforeAll(async () => {
    runtime = await startRuntime();
    const archive = join(runtime.home, "busybox.tar");
    await writeBusyboxImage(archive);
    await runtime.nerdctl.load(archive);
    const limits = { maxBytes: 1024 * 1024, maxFiles: 3 };
    keeper = new Keeper({ home: runtime.home, nerdctl: runtime.nerdctl, limits, timers: effects });
    await keeper.prepare();
    server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
    await once(server, "listening");
    const main = await start(
      "main",
      "mkdir /tmp/www; echo inside > /tmp/www/index.html; httpd -p 127.0.0.1:81 -h /tmp/www; exec httpd -f -p 80 -h /tmp/www",
    );
    sandbox = { id: main.containerId, number: 0, network: `/proc/${main.pid}/ns/net`, running: true };
  });

  afterAll(async () => {
    server?.close();
    await runtime?.stop();
  });

  test("a command's outputs and exit code come apart", async () => {
    const client = await exec(["sh", "-c", "echo out; echo err >&2; exit 7"]);
    expect((await client.status()).details?.causes?.[0]?.message).toBe("7");
    expect(client.output[1]).toBe("out\n");
    expect(client.output[2]).toBe("err\n");
  });

  test("a command that is not there fails with the runtime's reason, and prints nothing", async () => {
    const client = await exec(["nosuch"]);
    expect((await client.status()).message).toMatch(/error executing command in container: .*"nosuch"/);
    expect(client.output[2]).toBeUndefined();
  });

  test("input reaches a command, and its end too", async () => {
    const client = await exec(["sh", "-c", "cat; echo over"], "stdin");
    client.send(0, "hello ");
    client.send(255, Buffer.of(0));
    expect((await client.status()).status).toBe("Success");
    expect(client.output[1]).toBe("hello over\n");
  });

  test("megabytes go in and out unchanged and in order", async () => {
    const client = await exec(["cat"], "stdin");
    const bytes = randomBytes(8 * 1024 * 1024);
    for (let at = 0; at < bytes.length; at += 32 * 1024) client.send(0, bytes.subarray(at, at + 32 * 1024));
    client.send(255, Buffer.of(0));
    await client.closed;
    expect(Buffer.from(client.output[1] ?? "", "latin1").equals(bytes)).toBe(true);
  });

  test("a terminal has the client's size, and lines end as terminals end them", async () => {
    const sized = 'until test "$(stty size 2>/dev/null)" = "33 99"; do sleep 0.1; done';
    const script = `${sized}; stty size; test -t 0 && echo terminal; exit 3`;
    const client = await exec(["sh", "-c", script], "stdin", "tty");
    client.send(4, '{"Width":99,"Height":33}');
    expect((await client.status()).details?.causes?.[0]?.message).toBe("3");
    expect(client.output[1]).toBe("33 99\r\nterminal\r\n");
  });

  test("however busy the machine, all that a command prints comes out", async () => {
    const busy = Array.from({ length: 4 }, () => spawn("sh", ["-c", "while :; do :; done"], { stdio: "ignore" }));
    try {
      for (let round = 0; round < 8; round++) {
        const clients: Client[] = [];
        while (clients.length < 6) clients.push(await exec(["echo", "printed"]));
        for (const { closed } of clients) await closed;
        expect(clients.map(({ output }) => output[1])).toEqual(clients.map(() => "printed\n"));
      }
    } finally {
      for (const process of busy) process.kill("SIGKILL");
    }
  });

  test.each([[[]], [["stdin"]], [["stdin", "tty"]]])(
    "a command whose client is gone is hung up on (%j)",
    async (flags) => {
      const mark = `54${flags.length}21`;
      const client = await exec(["sleep", mark], ...flags);
      await eventually("the command runs", () => commandLines().includes(`sleep ${mark}`));
      client.socket.terminate();
      await eventually("nothing is left of it", () => !commandLines().some((line) => line.includes(`sleep ${mark}`)));
    },
  );

  test("a container that has ended is told so", async () => {
    containers.set("ended", { ...(containers.get("main") as FoundContainer), running: false });
    const exec = await open("exec", "ended", [["command", "true"]]);
    expect((await exec.status()).message).toBe(
      'Internal error occurred: unable to upgrade connection: container not found ("ended")',
    );
    const attach = await open("attach", "ended");
    expect((await attach.status()).message).toMatch(/container ended not found in pod p_default$/);
  });

  test("logs come with their end, and are followed to the container's end", async () => {
    const container = await start("talker", "echo one; sleep 1; echo two >&2");
    const printed = () => readFileSync(container.logPath ?? "", "utf8").includes("two");
    const ends = eventually("all is printed", printed).then(() =>
      containers.set("talker", { ...container, running: false }),
    );
    const [whole] = await Promise.all([logOf("talker", [["follow", "true"]]), ends]);
    expect(whole).toBe("one\ntwo\n");
    expect(await logOf("talker", [["tailLines", "1"]])).toBe("two\n");
  });

  async function logOf(container: string, query: [string, string][]): Promise<string> {
    const client = await open("log", container, query);
    const parts: Buffer[] = [];
    client.socket.on("message", (bytes: Buffer) => parts.push(bytes));
    await client.closed;
    return Buffer.concat(parts).toString();
  }

  test("attached output begins with what was printed for the first client; stdinOnce ends input with it", async () => {
    await startKept("once", ["sh", "-c", "printf 'name? '; read name; echo hi $name; cat >/dev/null; echo over"], {
      tty: false,
      once: true,
    });
    const flags = ["stdin", "stdout", "stderr"].map((flag): [string, string] => [flag, "true"]);
    const client = await open("attach", "once", flags);
    await client.until(1, "name? ");
    client.send(0, "you\n");
    await client.until(1, "hi you\n");
    client.send(255, Buffer.of(0));
    expect((await client.status()).status).toBe("Success");
    expect(client.output[1]).toBe("name? hi you\nover\n");
  });

  test("where input stays open, a client without more of it is let go, and the next may go on", async () => {
    await startKept("open", ["sh", "-c", "cat; echo over"], { tty: false, once: false });
    const flags = ["stdin", "stdout", "stderr"].map((flag): [string, string] => [flag, "true"]);
    for (const line of ["one\n", "two\n"]) {
      const client = await open("attach", "open", flags);
      client.send(0, line);
      await client.until(1, line);
      client.send(255, Buffer.of(0));
      expect((await client.status()).status).toBe("Success");
      expect(client.output[1]).not.toContain("over");
    }
  });

  test("a terminal that is attached to outlives its clients", async () => {
    await startKept("shell", ["sh"], { tty: true, once: true });
    const flags = ["stdin", "stdout", "tty"].map((flag): [string, string] => [flag, "true"]);
    const first = await open("attach", "shell", flags);
    first.send(4, '{"Width":101,"Height":31}');
    first.send(0, 'kept=yes; until test "$(stty size)" = "31 101"; do sleep 0.1; done; stty size\n');
    await first.until(1, "31 101\r\n");
    first.socket.terminate();
    const second = await open("attach", "shell", flags);
    second.send(0, "echo $kept$((1 + 1)); exit\n");
    await second.until(1, "yes2\r\n");
    expect((await second.status()).status).toBe("Success");
  });

  test("a command goes with its container, in a terminal or not", async () => {
    const doomed = await start("doomed", "exec sleep 1000");
    const seconds = `9${process.pid}`; // no other program's
    const command: [string, string][] = ["sleep", seconds].map((word) => ["command", word]);
    const clients = [
      await open("exec", "doomed", [...command, ["stdout", "true"]]),
      await open("exec", "doomed", [...command, ["stdout", "true"], ["tty", "true"]]),
    ];
    await eventually(
      "both run",
      () => commandLines().filter((line) => line === `sleep ${seconds}`).length === clients.length,
      () => JSON.stringify(clients.map(({ output }) => output)),
    );
    process.kill(doomed.pid ?? 0, "SIGKILL");
    for (const client of clients) expect((await client.status()).details?.causes?.[0]?.message).toBe("137");
  });

  describe("port-forward", () => {
    /** The client's side of one forwarded connection: sends a request, resolves with what the two streams brought. */
    async function forward(port: number, request: string): Promise<{ data: string; error: string }> {
      const client = await open("portforward", "");
      const frames = new FrameReader();
      const got: Record<number, string> = { 1: "", 3: "" };
      const ended = new Set<number>();
      client.socket.on("message", (bytes: Buffer) => {
        for (const frame of frames.read(bytes))
          if (frame.type === "data") {
            got[frame.id] += frame.data.toString();
            if (frame.fin) ended.add(frame.id);
          }
      });
      const headers = new HeaderWriter();
      for (const [id, streamtype] of [
        [1, "error"],
        [3, "data"],
      ] as const) {
        const block = await headers.write(
          new Map([
            ["streamtype", streamtype],
            ["port", `${port}`],
            ["requestid", "0"],
          ]),
        );
        client.socket.send(writeFrame({ type: "synStream", id, associated: 0, priority: 0, block, fin: id === 1 }));
      }
      client.socket.send(writeFrame({ type: "data", id: 3, data: Buffer.from(request), fin: false }));
      await eventually("both streams ended", () => ended.size === 2).finally(() => client.socket.close());
      return { data: got[3] ?? "", error: got[1] ?? "" };
    }
    const get = "GET / HTTP/1.0\r\n\r\n";

    test.each([
      ["all addresses", 80],
      ["the pod's loopback alone", 81],
    ])("reaches what listens on %s", async (_, port) => {
      const { data, error } = await forward(port, get);
      expect(data).toMatch(/^HTTP\/1\..* 200 OK[\s\S]*inside\n$/);
      expect(error).toBe("");
    });

    test("tells on the error stream when nothing listens", async () => {
      const { data, error } = await forward(82, get);
      expect(data).toBe("");
      expect(error).toMatch(/^error forwarding port 82 to pod [0-9a-f]{64}, uid : .*connect: connection refused$/);
    });

    test("by channels, as older clients have it: of each port one for data and one for errors", async () => {
      const client = await open(
        "portforward",
        "",
        [
          ["ports", "80,82"],
          ["ports", "81"],
        ],
        "v4.channel.k8s.io",
      );
      for (const channel of [0, 4]) client.send(channel, get);
      await new Promise((resolve) => client.socket.once("close", resolve));
      const { 0: first, 1: firstError, 3: secondError, 4: third } = client.output;
      expect(first).toMatch(/^P\0HTTP\/1\..* 200 OK[\s\S]*inside\n$/);
      expect(firstError).toBe("P\0");
      expect(secondError).toMatch(/^R\0error forwarding port 82 to pod [0-9a-f]{64}, uid : .*connection refused$/);
      expect(third).toMatch(/^Q\0HTTP\/1\..* 200 OK[\s\S]*inside\n$/);
    });

    test("leaves no helper behind", async () => {
      await eventually("all helpers are gone", () => !ownChildren().some((line) => line.includes("namespace-dialer")));
    });
  });
});
