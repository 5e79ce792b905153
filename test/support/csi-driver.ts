/** A CSI driver for tests, on this machine itself: gRPC on sockets where a kubelet looks for them, and bind mounts. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { dirname, join } from "node:path";
import { message, type Value } from "../../agent/csi/messages.ts";
import { FRAME_HEADER, fieldsIn, framed, messageIn, numberIn, textIn } from "../../agent/grpc.ts";
import { checked } from "./programs.ts";

/** What the driver was asked, by fields' names as the specification has them. */
export type Asked = {
  method: string;
  volume: string;
  staging: string;
  target: string;
  readonly: boolean;
  isBlock: boolean;
  fsType: string;
  flags: string[];
  mode: number;
  publishContext: Record<string, string>;
  volumeContext: Record<string, string>;
  secrets: Record<string, string>;
};

type Answer = Uint8Array | { code: number; message: string };

const NAME = "test.csi.skerry.dev";
const NODE_ID = "node-id";
/** STAGE_UNSTAGE_VOLUME and EXPAND_VOLUME. */
const CAPABILITIES = [1, 3];

export class TestDriver {
  readonly name = NAME;
  readonly nodeId = NODE_ID;
  readonly asked: Asked[] = [];
  /** What it heard of its registration. */
  registered: { ok: boolean; error: string } | undefined;
  /** Refuses what it is asked while it says why. */
  refuse: (asked: Asked) => string | undefined = () => undefined;
  readonly #root: string;
  readonly #data: string;
  readonly #servers: Http2Server[] = [];

  /** `root` is the kubelet's folder, `data` where volumes are to lie, each in a folder or device by its handle. */
  constructor(root: string, data: string) {
    this.#root = root;
    this.#data = data;
  }

  get #socket(): string {
    return join(this.#root, "plugins", NAME, "csi.sock");
  }

  get #registration(): string {
    return join(this.#root, "plugins_registry", `${NAME}-reg.sock`);
  }

  async start(): Promise<void> {
    await this.#serve(this.#socket, (path, bytes) => this.#node(path, bytes));
    await this.#serve(this.#registration, async (path, bytes) => this.#register(path, bytes));
  }

  stop(): void {
    for (const server of this.#servers.splice(0)) server.close();
    for (const path of [this.#registration, this.#socket]) rmSync(path, { force: true });
  }

  methods(volume: string): string[] {
    return this.asked.flatMap((asked) => (asked.volume === volume ? [asked.method] : []));
  }

  #serve(path: string, answer: (path: string, bytes: Uint8Array) => Promise<Answer>): Promise<void> {
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    const server = createServer();
    this.#servers.push(server);
    server.on("stream", (stream, headers) => {
      const parts: Buffer[] = [];
      stream.on("error", () => {}); // who asked may be killed
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", async () => {
        const bytes = Buffer.concat(parts).subarray(FRAME_HEADER);
        end(
          stream,
          await answer(String(headers[":path"]), bytes).catch((error: Error) => ({ code: 13, message: error.message })),
        );
      });
    });
    return new Promise((resolve) => server.listen(path, () => resolve()));
  }

  #register(path: string, bytes: Uint8Array): Answer {
    if (path.endsWith("/GetInfo")) return message({ 1: "CSIPlugin", 2: NAME, 3: this.#socket, 4: ["1.0.0"] });
    this.registered = { ok: numberIn(bytes, 1) === 1, error: textIn(bytes, 2) };
    return new Uint8Array();
  }

  async #node(path: string, bytes: Uint8Array): Promise<Answer> {
    const method = path.split("/").at(-1) ?? "";
    if (method === "NodeGetInfo")
      return message({
        1: NODE_ID,
        2: 8,
        3: message({ 1: new Map([["topology.test/zone", "z1"]]) } as Record<number, Value>),
      });
    if (method === "NodeGetCapabilities")
      return Buffer.concat(CAPABILITIES.map((one) => message({ 1: message({ 1: message({ 1: one }) }) })));
    const asked = read(method, bytes);
    this.asked.push(asked);
    const problem = this.refuse(asked);
    if (problem !== undefined) return { code: 13, message: problem };
    await this.#acts[method]?.(asked);
    return new Uint8Array();
  }

  readonly #acts: Readonly<Record<string, (asked: Asked) => Promise<unknown>>> = {
    NodeStageVolume: async ({ volume, staging, isBlock }) => {
      if (!isBlock) await checked("mount", ["--bind", this.#folder(volume), staging]);
    },
    NodeUnstageVolume: async ({ staging }) => checked("sh", ["-c", `! mountpoint -q ${staging} || umount ${staging}`]),
    NodePublishVolume: async ({ volume, staging, target, isBlock, readonly }) => {
      if (isBlock) writeFileSync(target, "");
      else mkdirSync(target, { recursive: true });
      const from = isBlock ? join(this.#data, volume) : staging || this.#folder(volume);
      await checked("mount", ["--bind", ...(readonly ? ["-o", "ro"] : []), from, target]);
    },
    NodeUnpublishVolume: async ({ target }) => {
      await checked("sh", ["-c", `! mountpoint -q ${target} || umount ${target}`]);
      rmSync(target, { recursive: true, force: true });
    },
  };

  #folder(volume: string): string {
    const folder = join(this.#data, volume);
    mkdirSync(folder, { recursive: true });
    return folder;
  }
}

function end(stream: ServerHttp2Stream, answer: Answer): void {
  if (stream.destroyed) return;
  const failed = answer instanceof Uint8Array ? undefined : answer;
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () =>
    stream.sendTrailers({
      "grpc-status": failed?.code ?? 0,
      ...(failed && { "grpc-message": encodeURIComponent(failed.message) }),
    }),
  );
  stream.end(answer instanceof Uint8Array ? framed(answer) : undefined);
}

/** Field numbers differ from call to call. */
const FIELDS: Readonly<Record<string, Partial<Record<keyof Asked | "capability", number>>>> = {
  NodeStageVolume: { publishContext: 2, staging: 3, capability: 4, secrets: 5, volumeContext: 6 },
  NodeUnstageVolume: { staging: 2 },
  NodePublishVolume: {
    publishContext: 2,
    staging: 3,
    target: 4,
    capability: 5,
    readonly: 6,
    secrets: 7,
    volumeContext: 8,
  },
  NodeUnpublishVolume: { target: 2 },
  NodeExpandVolume: { target: 2, staging: 4, capability: 5 },
};

function read(method: string, bytes: Uint8Array): Asked {
  const fields = FIELDS[method] ?? {};
  const text = (field: number | undefined) => (field === undefined ? "" : textIn(bytes, field));
  const map = (field: number | undefined) =>
    Object.fromEntries(fieldsIn(bytes, field ?? -1).map((pair) => [textIn(pair, 1), textIn(pair, 2)]));
  const capability = messageIn(bytes, fields.capability ?? -1);
  const mount = messageIn(capability, 2);
  return {
    method,
    volume: textIn(bytes, 1),
    staging: text(fields.staging),
    target: text(fields.target),
    readonly: numberIn(bytes, fields.readonly ?? -1) === 1,
    isBlock: fieldsIn(capability, 1).length > 0,
    fsType: textIn(mount, 1),
    flags: fieldsIn(mount, 2).map((flag) => Buffer.from(flag).toString()),
    mode: numberIn(messageIn(capability, 3), 1),
    publishContext: map(fields.publishContext),
    volumeContext: map(fields.volumeContext),
    secrets: map(fields.secrets),
  };
}
