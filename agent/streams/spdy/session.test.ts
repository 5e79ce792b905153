import { text } from "node:stream/consumers";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Frame, FrameReader, writeFrame } from "./frames.ts";
import { HeaderWriter } from "./headers.ts";
import { SpdySession } from "./session.ts";
import type { SpdyStream } from "./stream.ts";

/** A client that speaks frames, and the session under test. */
class Client {
  readonly got: Frame[] = [];
  readonly streams: SpdyStream[] = [];
  paused = false;
  closed = false;
  private pings = 0;
  private answered = 0;
  private readonly frames = new FrameReader();
  private readonly headers = new HeaderWriter();
  readonly session = new SpdySession(
    {
      send: async (bytes) => {
        for (const frame of this.frames.read(bytes))
          if (frame.type === "ping" && frame.id > 1001) this.answered++;
          else this.got.push(frame);
      },
      pause: () => {
        this.paused = true;
      },
      resume: () => {
        this.paused = false;
      },
      close: () => {
        this.closed = true;
      },
    },
    (stream) => this.streams.push(stream),
  );

  /** Sends frames, and a ping whose answer says that they were handled. */
  async send(...frames: Frame[]): Promise<void> {
    const ping: Frame = { type: "ping", id: 2 * ++this.pings + 1001 };
    this.session.receive(Buffer.concat([...frames, ping].map(writeFrame)));
    while (!this.closed && this.answered < this.pings) await turn();
    await turn();
  }

  async open(id: number, fin = false): Promise<SpdyStream> {
    const block = await this.headers.write(new Map([["streamtype", "data"]]));
    await this.send({ type: "synStream", id, associated: 0, priority: 0, block, fin });
    const stream = this.streams.at(-1);
    if (!stream) throw new Error("no stream was opened");
    return stream;
  }

  dataOf(id: number): string {
    return this.got
      .flatMap((frame) => (frame.type === "data" && frame.id === id ? [frame.data.toString()] : []))
      .join("");
  }

  of<Type extends Frame["type"]>(type: Type): Extract<Frame, { type: Type }>[] {
    return this.got.filter((frame): frame is Extract<Frame, { type: Type }> => frame.type === type);
  }
}

const data = (id: number, content: string | Buffer, fin = false): Frame => ({
  type: "data",
  id,
  data: Buffer.from(content),
  fin,
});

test("a stream is answered before it is used, and carries its headers", async () => {
  const client = new Client();
  const stream = await client.open(1);
  stream.write("hello");
  await turn();
  expect(client.got.map(({ type }) => type)).toEqual(["synReply", "data"]);
  expect(stream.headers.get("streamtype")).toBe("data");
});

test("each direction of a stream ends on its own", async () => {
  const client = new Client();
  const stream = await client.open(1);
  await client.send(data(1, "question", true));
  expect(await text(stream)).toBe("question");
  stream.end("answer");
  await turn();
  expect(client.dataOf(1)).toBe("answer");
  expect(client.of("data").at(-1)?.fin).toBe(true);
  await turn();
  expect(client.of("rstStream")).toEqual([]);
});

test("a stream that the client resets closes, and its other half too", async () => {
  const client = new Client();
  const stream = await client.open(1);
  await client.send({ type: "rstStream", id: 1, status: 5 });
  expect(stream.destroyed).toBe(true);
  await client.send(data(1, "late"));
  expect(client.of("rstStream")).toEqual([]);
});

test("a stream that is given up half-way is reset", async () => {
  const client = new Client();
  const stream = await client.open(1);
  stream.destroy();
  await turn();
  expect(client.of("rstStream")).toEqual([{ type: "rstStream", id: 1, status: 5 }]);
});

test("the window is widened as data is read", async () => {
  const client = new Client();
  const stream = await client.open(1);
  await client.send(data(1, Buffer.alloc(32_000)), data(1, Buffer.alloc(32_000)));
  stream.resume();
  await turn();
  const widened = client.of("windowUpdate").reduce((sum, { delta }) => sum + delta, 0);
  expect(widened).toBe(64_000);
});

test("a client without flow control gets all at once", async () => {
  const client = new Client();
  const stream = await client.open(1);
  stream.write("x".repeat(200_000));
  for (let turns = 0; turns < 10; turns++) await turn();
  expect(client.dataOf(1).length).toBe(200_000);
});

test("a client that announces a window gets no more than it has room for", async () => {
  const client = new Client();
  const stream = await client.open(1);
  await client.send({ type: "settings", settings: [{ id: 7, value: 1000 }] });
  stream.write("x".repeat(2500));
  await turn();
  expect(client.dataOf(1).length).toBe(1000);
  await client.send({ type: "windowUpdate", id: 1, delta: 1000 });
  expect(client.dataOf(1).length).toBe(2000);
  await client.send({ type: "settings", settings: [{ id: 7, value: 2000 }] });
  expect(client.dataOf(1).length).toBe(2500);
});

test("a client that sends beyond all windows is held back, and let go when its data is read", async () => {
  const client = new Client();
  const stream = await client.open(1);
  for (let sent = 0; sent < 5; sent++) await client.send(data(1, Buffer.alloc(1024 * 1024)));
  expect(client.paused).toBe(true);
  stream.resume();
  for (let turns = 0; turns < 10; turns++) await turn();
  expect(client.paused).toBe(false);
});

test("a ping comes back as it was", async () => {
  const client = new Client();
  await client.send({ type: "ping", id: 7 });
  expect(client.got).toEqual([{ type: "ping", id: 7 }]);
});

test("data for a stream that never was is refused, others go on", async () => {
  const client = new Client();
  await client.send(data(9, "for whom?"));
  expect(client.of("rstStream")).toEqual([{ type: "rstStream", id: 9, status: 2 }]);
  await client.open(11);
  expect(client.streams.length).toBe(1);
});

test.each([
  ["an even stream", [2]],
  ["a stream that goes back", [3, 1]],
])("%s ends the connection with GOAWAY", async (_, ids) => {
  const client = new Client();
  for (const id of ids) await client.open(id).catch(() => {});
  expect(client.of("goAway").map(({ status }) => status)).toEqual([1]);
  expect(client.closed).toBe(true);
});

test("nonsense ends the connection with GOAWAY, and its streams", async () => {
  const client = new Client();
  const stream = await client.open(1);
  client.session.receive(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
  client.session.receive(Buffer.from([0x80, 0x09, 0, 1, 0, 0, 0, 0]));
  await turn();
  await turn();
  expect(client.closed).toBe(true);
  expect(stream.destroyed).toBe(true);
});
