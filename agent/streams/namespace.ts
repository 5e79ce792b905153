/** Connections to `localhost` of a pod, as the kubelet makes them: also to what listens on the loopback alone. */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { spawn } from "../process.ts";
import { programPath } from "../program.ts";
import { type DialAnswer, type DialRequest, dialLocalhost } from "./namespace-dialer.ts";

const PROGRAM = programPath("streams/namespace-dialer");

type Waiting = { resolve(socket: Socket): void; reject(error: Error): void };

/** Dials inside a network namespace, given by the file that stands for it; the machine's own without one. Its helper process starts with the first use and ends by `close`. */
export class NamespaceDialer {
  private readonly network: string | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private helper: ChildProcess | undefined;
  private lastId = 0;

  constructor(network: string | undefined) {
    this.network = network;
  }

  /** Rejects with the reason in the words of Go's net package. The socket is paused. */
  dial(port: number): Promise<Socket> {
    if (!this.network) return dialLocalhost(port);
    this.helper ??= this.start(this.network);
    const request: DialRequest = { id: ++this.lastId, port };
    return new Promise((resolve, reject) => {
      this.waiting.set(request.id, { resolve, reject });
      this.helper?.send(request, (error) => error && this.fail(error));
    });
  }

  close(): void {
    this.helper?.kill("SIGKILL");
    this.fail(new Error("closed"));
  }

  private start(network: string): ChildProcess {
    const inside = [`--net=${network}`, "--", process.execPath, "--disable-warning=ExperimentalWarning", PROGRAM];
    const child = spawn("nsenter", inside, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk).slice(-500);
    });
    child.on("message", ({ id, error }: DialAnswer, socket) => {
      const asked = this.waiting.get(id);
      this.waiting.delete(id);
      if (error !== undefined || !socket) asked?.reject(new Error(error ?? "no socket came"));
      else if (asked) asked.resolve(socket as Socket);
      else (socket as Socket).destroy();
    });
    child.on("error", (error) => this.fail(error));
    child.on("close", () => this.fail(new Error(said.trim() || "the pod's network namespace is gone")));
    return child;
  }

  private fail(error: Error): void {
    this.helper = undefined;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
