/** The agent's side of a container that is attached to: its keeper has its input and output. */
import { connect } from "node:net";
import type { Writable } from "node:stream";
import { FrameReader, frame, Kind } from "./frames.ts";

/** Output of an attached container, and ways to speak to it. */
export type Attached = {
  /** Resolves when more may be written; undefined when that is at once. */
  write(data: Uint8Array): Promise<void> | undefined;
  /** No more input comes from this client. */
  end(): void;
  resize(size: { width: number; height: number }): void;
  close(): void;
  /** Resolves when the container has ended or `close` was called: to whether it was told that all was told. */
  closed: Promise<boolean>;
};

/**
 * Attaches to a container by its socket. Rejects when there is none. What `onOutput` returns is awaited before more is
 * read.
 */
export function attachTo(
  socket: string,
  onOutput: (stream: "stdout" | "stderr", data: Buffer) => Promise<void> | void,
): Promise<Attached> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    const taken: (Promise<void> | void)[] = [];
    let isWhole = false;
    const reader = new FrameReader((kind, data) => {
      if (kind === Kind.over) isWhole = true;
      else taken.push(onOutput(kind === Kind.stderr ? "stderr" : "stdout", data));
    });
    // Only when all is passed on, also what came last.
    const closed = new Promise<boolean>((done) =>
      connection.once("close", () => Promise.allSettled(taken).then(() => done(isWhole))),
    );
    connection.on("data", (data: Buffer) => {
      reader.push(data);
      connection.pause();
      void Promise.allSettled(taken).then(() => {
        taken.length = 0;
        connection.resume();
      });
    });
    connection.on("error", reject);
    connection.once("connect", () =>
      resolve({
        write: (data) => writeTo(connection, frame(Kind.stdin, data)),
        end: () => void connection.write(frame(Kind.end, Buffer.alloc(0))),
        resize: (size) => void connection.write(frame(Kind.resize, Buffer.from(JSON.stringify(size)))),
        close: () => connection.destroy(),
        closed,
      }),
    );
  });
}

/** Writes; a promise of room for more when there is none now, which a closed stream always has. */
export function writeTo(to: Writable, data: Uint8Array): Promise<void> | undefined {
  if (to.write(data) || to.destroyed) return undefined;
  return new Promise((resolve) => {
    const done = () => {
      to.off("drain", done).off("close", done);
      resolve();
    };
    to.on("drain", done).on("close", done);
  });
}
