/**
 * containerd's tasks over its gRPC API, for what nerdctl's commands cannot say: named pipes of one's own as a container's
 * input and output. https://github.com/containerd/containerd/tree/main/api/services/tasks/v1
 */
import { connect as openSession } from "node:http2";
import { connect } from "node:net";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Code, callOf, FRAME_HEADER, fieldsIn, framed, messageIn, numberIn, statusOf, textIn } from "./grpc.ts";

/** A call that containerd refused; `message` is its own. */
export class ContainerdError extends Error {
  override readonly name = "ContainerdError";
  /** https://grpc.io/docs/guides/status-codes/ */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Paths of named pipes. The error output of a terminal is part of its output. */
export type Pipes = { stdin?: string; stdout: string; stderr?: string };

/** https://github.com/opencontainers/runtime-spec/blob/main/config.md#process */
export type OciProcess = { args: string[]; env?: string[]; terminal?: boolean };

const PROCESS_TYPE = "types.containerd.io/opencontainers/runtime-spec/1/Process";
const CALL_TIMEOUT_MS = 120_000;

export class ContainerdTasks {
  readonly #socket: string;
  readonly #namespace: string;

  constructor({ socket, namespace }: { socket: string; namespace: string }) {
    this.#socket = socket;
    this.#namespace = namespace;
  }

  /** Makes the task of a container that has been created; containerd holds all pipes open when this resolves. */
  async create(id: string, pipes: Pipes, terminal: boolean): Promise<number> {
    const { snapshotter, key } = await this.#snapshotOf(id);
    const asked = new BinaryWriter().tag(1, WireType.LengthDelimited).string(snapshotter);
    const mounts = await this.#call(
      "snapshots.v1.Snapshots/Mounts",
      asked.tag(2, WireType.LengthDelimited).string(key),
    );
    const request = new BinaryWriter().tag(1, WireType.LengthDelimited).string(id);
    for (const mount of fieldsIn(mounts, 1)) request.tag(3, WireType.LengthDelimited).bytes(mount);
    for (const [number, path] of [[4, pipes.stdin] as const, [5, pipes.stdout] as const, [6, pipes.stderr] as const])
      if (path) request.tag(number, WireType.LengthDelimited).string(path);
    if (terminal) request.tag(7, WireType.Varint).bool(true);
    return numberIn(await this.#call("tasks.v1.Tasks/Create", request), 2);
  }

  async start(id: string, exec?: string): Promise<void> {
    await this.#call("tasks.v1.Tasks/Start", of(id, exec));
  }

  async resize(id: string, { width, height }: { width: number; height: number }, exec?: string): Promise<void> {
    const size = of(id, exec).tag(3, WireType.Varint).uint32(width).tag(4, WireType.Varint).uint32(height);
    await this.#call("tasks.v1.Tasks/ResizePty", size);
  }

  /** containerd holds a writing end of the input too, and lets go of it by this. */
  async closeInput(id: string): Promise<void> {
    await this.#call("tasks.v1.Tasks/CloseIO", of(id).tag(3, WireType.Varint).bool(true));
  }

  /** The process of a container, as the OCI runtime specification describes one. */
  async processOf(id: string): Promise<OciProcess> {
    const any = messageIn(await this.#container(id), 5);
    return (JSON.parse(textIn(any, 2)) as { process: OciProcess }).process;
  }

  /** Prepares another process of a container, in a terminal unless it says otherwise. `exec` is to be its name. */
  async exec(id: string, exec: string, pipes: Pipes, process: OciProcess): Promise<void> {
    const { terminal = true } = process;
    const spec = new BinaryWriter().tag(1, WireType.LengthDelimited).string(PROCESS_TYPE);
    spec.tag(2, WireType.LengthDelimited).string(JSON.stringify({ ...process, terminal }));
    const request = new BinaryWriter().tag(1, WireType.LengthDelimited).string(id);
    if (pipes.stdin) request.tag(2, WireType.LengthDelimited).string(pipes.stdin);
    request.tag(3, WireType.LengthDelimited).string(pipes.stdout);
    if (pipes.stderr) request.tag(4, WireType.LengthDelimited).string(pipes.stderr);
    request.tag(5, WireType.Varint).bool(terminal);
    request.tag(6, WireType.LengthDelimited).bytes(spec.finish()).tag(7, WireType.LengthDelimited).string(exec);
    await this.#call("tasks.v1.Tasks/Exec", request);
  }

  async kill(id: string, exec: string, signal: number): Promise<void> {
    await this.#call("tasks.v1.Tasks/Kill", of(id, exec).tag(3, WireType.Varint).uint32(signal));
  }

  /** Resolves to the exit code of a process of `exec`, within so many ms if that is not 0. */
  async wait(id: string, exec: string, timeoutMs = 0): Promise<number> {
    return numberIn(await this.#call("tasks.v1.Tasks/Wait", of(id, exec), timeoutMs), 1);
  }

  /** Forgets a process of `exec` that has ended, or was never started. */
  async remove(id: string, exec: string): Promise<void> {
    await this.#call("tasks.v1.Tasks/DeleteProcess", of(id, exec));
  }

  async #snapshotOf(id: string): Promise<{ snapshotter: string; key: string }> {
    const container = await this.#container(id);
    return { snapshotter: textIn(container, 6), key: textIn(container, 7) };
  }

  async #container(id: string): Promise<Uint8Array> {
    return messageIn(await this.#call("containers.v1.Containers/Get", of(id)), 1);
  }

  /** One call on a connection of its own, which on this machine costs next to nothing. */
  #call(method: string, message: BinaryWriter, timeoutMs = CALL_TIMEOUT_MS): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const session = openSession("http://containerd", { createConnection: () => connect(this.#socket) });
      const fail = (code: number, message: string) => {
        session.destroy();
        reject(new ContainerdError(code, message));
      };
      session.on("error", (error) => fail(Code.unavailable, `containerd: ${error.message}`));
      const call = session.request({
        ...callOf(`/containerd.services.${method}`),
        "containerd-namespace": this.#namespace,
      });
      const parts: Buffer[] = [];
      let status: ReturnType<typeof statusOf>;
      const heed = (headers: Record<string, unknown>) => {
        status = statusOf(headers) ?? status;
      };
      call.on("response", heed).on("trailers", heed);
      call.on("data", (part: Buffer) => parts.push(part));
      call.on("error", (error: Error) => fail(Code.unavailable, `containerd: ${error.message}`));
      call.setTimeout(timeoutMs, () => fail(Code.deadlineExceeded, "containerd does not answer"));
      call.on("close", () => {
        if (status?.code !== 0)
          return fail(status?.code ?? Code.unavailable, status?.message || "containerd broke off");
        session.close();
        resolve(Buffer.concat(parts).subarray(FRAME_HEADER));
      });
      call.end(framed(message.finish()));
    });
  }
}

function of(id: string, exec?: string): BinaryWriter {
  const message = new BinaryWriter().tag(1, WireType.LengthDelimited).string(id);
  return exec === undefined ? message : message.tag(2, WireType.LengthDelimited).string(exec);
}
