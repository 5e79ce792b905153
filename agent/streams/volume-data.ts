/** The data of a PersistentVolume on this node's disk, as a tar stream out of it or into it. */
import { PassThrough, Readable } from "node:stream";
import type { ProxyRequest } from "../../worker/protocol/link.ts";
import type { ProxyMessage } from "../../worker/protocol/proxy.ts";
import type { Timers } from "../effects.ts";
import { openChecked } from "../local/http.ts";
import type { NodeIdentity } from "../local/join.ts";
import { ArchiveError } from "../volumes/persistent/data.ts";
import { DataRefusal } from "../volumes/persistent/provisioned.ts";
import type { Ask, Edge } from "./proxy.ts";
import type { StreamDeps } from "./served.ts";

/** Without a byte for so long, the other node counts as gone, ms. */
const SILENT_MS = 120_000;

/** All data of a claim's volume, from whichever node has it, while no pod uses it. */
export async function downloadVolume(
  { server: url, ca, token }: Pick<NodeIdentity, "server" | "ca" | "token">,
  claim: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<Readable> {
  const path = `/skerry/volumes/${claim.namespace}/${claim.name}?unused=true`;
  const response = await openChecked({ url, ca, token, anyTime: true }, "GET", path, { timeoutMs: SILENT_MS });
  if (signal.aborted) response.destroy();
  return response;
}

type Volume = NonNullable<ProxyRequest["volume"]>;

const GONE = "the client is gone";
/** As long as the command line waits between two bytes, ms: who is silent for longer holds no volume any more. */
const STALLED_MS = 600_000;
const STALLED = "no byte came through for 10 minutes";

export async function serveVolume(
  edge: Edge,
  ask: Ask,
  volume: Volume,
  deps: Pick<StreamDeps, "volumes" | "effects">,
): Promise<void> {
  const data = deps.volumes?.();
  const query = new URL(ask.path, "http://node").searchParams;
  const has = (name: string) => query.get(name) === "true";
  if (!data) return answer(edge, 404, { message: "this node has no volumes" });
  try {
    if (ask.method === "PUT" && !ask.hasBody) {
      await data.check(volume, has("replace"));
      return await answer(edge, 200, {});
    }
    if (ask.method === "PUT") {
      const bytes = await data.write(volume, bodyFrom(edge, deps.effects), has("replace"));
      return await answer(edge, 200, { bytes });
    }
    await send(edge, data.read(volume, has("unused")), deps.effects);
  } catch (error) {
    if (edge.isAnswered) throw error; // the stream breaks off, so that nobody takes it for all
    const { message } = error as Error;
    if (error instanceof ArchiveError) return await answer(edge, 400, { message, reason: "BadRequest" });
    if (!(error instanceof DataRefusal)) throw error;
    await answer(edge, 409, { message, reason: "Conflict" });
  }
}

/** Headers go when there is a first piece: what refuses does so before. */
async function send(edge: Edge, archive: AsyncIterable<Buffer>, timers: Timers): Promise<void> {
  const patience = new Patience(timers, () => edge.socket.close(1011, STALLED));
  edge.socket.once("close", () => patience.end());
  edge.listen((data, isBinary) => {
    const message = isBinary ? undefined : (JSON.parse(data.toString()) as ProxyMessage);
    if (message?.type !== "read") return;
    patience.renew();
    edge.window.read(message.bytes);
  });
  const pieces = archive[Symbol.asyncIterator]();
  const first = await pieces.next();
  await edge.send({ type: "response", status: 200, headers: [["content-type", "application/x-tar"]] });
  const rest = async function* () {
    if (!first.done) yield first.value;
    for await (const piece of { [Symbol.asyncIterator]: () => pieces }) {
      patience.renew();
      yield piece;
    }
  };
  const body = Readable.from(rest());
  edge.socket.once("close", () => body.destroy());
  patience.renew();
  await edge.sendBody(body);
}

/** What the client sends; it breaks off when the client does. */
function bodyFrom(edge: Edge, timers: Timers): Readable {
  const body = new PassThrough();
  body.on("error", () => {}); // who reads it hears of it; where nobody does, nobody has to
  const patience = new Patience(timers, () => body.destroy(new Error(STALLED)));
  body.once("close", () => patience.end());
  patience.renew();
  edge.socket.once("close", () => {
    if (!body.writableEnded) body.destroy(new Error(GONE));
  });
  const taken = (bytes: number) => {
    patience.renew();
    void edge.send({ type: "read", bytes });
  };
  edge.listen((data, isBinary) => {
    if (isBinary) return void body.write(data, () => taken(data.length));
    if ((JSON.parse(data.toString()) as ProxyMessage).type !== "end") return;
    patience.end();
    body.end();
  });
  return body;
}

/** Calls what is to be done when nothing has renewed it for too long. */
class Patience {
  readonly #timers: Timers;
  readonly #lost: () => void;
  #cancel: (() => void) | undefined;
  #isOver = false;

  constructor(timers: Timers, lost: () => void) {
    this.#timers = timers;
    this.#lost = lost;
  }

  renew(): void {
    this.#cancel?.();
    if (!this.#isOver) this.#cancel = this.#timers.after(STALLED_MS, this.#lost);
  }

  end(): void {
    this.#isOver = true;
    this.#cancel?.();
  }
}

async function answer(edge: Edge, status: number, body: object): Promise<void> {
  const kind = status < 400 ? {} : { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code: status };
  await edge.send({ type: "response", status, headers: [["content-type", "application/json"]] });
  await edge.sendBody(Readable.from([Buffer.from(JSON.stringify({ ...kind, ...body }))]));
}
