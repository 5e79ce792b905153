/** One port on which a server listens, and what is to be said where it cannot. */
import type { Server } from "node:net";
import { errorText } from "../../worker/lib/error-text.ts";

export class Listener {
  readonly #server: Server;
  readonly #usual: number;
  #wanted: number | undefined;
  /** 0 while nobody listens. */
  port = 0;
  problem: string | undefined;

  /** `usual` is the port where none was chosen. */
  constructor(server: Server, usual: number) {
    this.#server = server;
    this.#usual = usual;
  }

  /** `wanted`: undefined is the usual port, or any other where that is taken; 0 is none. Never rejects. */
  async open(wanted: number | undefined): Promise<void> {
    if (this.port !== 0 && this.#wanted === wanted) return;
    this.close();
    this.#wanted = wanted;
    if (wanted === 0) return;
    const port = wanted ?? this.#usual;
    try {
      this.port = await listen(this.#server, port);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const why = code === "EADDRINUSE" ? "another program has it" : errorText(error);
      this.problem = `port ${port} cannot be listened on: ${why}`;
      if (wanted !== undefined) return;
      this.port = await listen(this.#server, 0).catch(() => 0);
      if (this.port !== 0) this.problem += `; port ${this.port} is taken instead`;
    }
  }

  /** Nobody new comes; who is there stays until all is answered. */
  close(): void {
    if (this.port !== 0) this.#server.close();
    this.port = 0;
    this.problem = undefined;
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => {
      server.off("error", reject);
      resolve((server.address() as { port: number }).port);
    });
  });
}
