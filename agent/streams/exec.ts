/** `kubectl exec`: a command in a running container. */
import type { Writable } from "node:stream";
import type { PodStreamRequest } from "../../worker/protocol/link.ts";
import { writeTo } from "../pods/attached.ts";
import { Channel, Channels, exitStatus, failureStatus, internalError, readMessage, waitForRoom } from "./channels.ts";
import { startCommand } from "./exec-command.ts";
import { startTerminal } from "./exec-terminal.ts";
import { flags, type Served } from "./served.ts";

/** After less than this, output gathers for a moment: a message costs who passes it on the same, whatever is in it. */
const SMALL_BYTES = 32 * 1024;
const REST_MS = 1;

export type Outcome =
  | { code: number }
  /** It could not be started. */
  | { code: undefined; problem: string };

export type RunningCommand = {
  stdin?: Writable;
  stdout: AsyncIterable<Buffer>;
  /** A terminal has none. */
  stderr?: AsyncIterable<Buffer>;
  /** Of a terminal. */
  resize?(size: { width: number; height: number }): void;
  /** The client is gone: the command is told, as when a terminal is closed. One that ignores that goes on. */
  hangUp(): void;
  /** Resolves when both outputs are at their end too; they must be read. */
  outcome: Promise<Outcome>;
};

export async function serveExec({ socket, request, container, deps }: Served): Promise<void> {
  const wants = flags(request.query);
  const command = request.query.flatMap(([name, value]) => (name === "command" ? [value] : []));
  const channels = new Channels(socket, request.subprotocol);
  const options = { id: container.containerId, command, stdin: wants("stdin") };
  socket.pause(); // until there is who takes it
  const running = await (wants("tty") ? startTerminal(deps, options) : startCommand(deps, options)).catch(
    (error: Error) => {
      throw new Error(notStarted(request, error.message));
    },
  );
  const { stdin } = running;
  socket.on("message", (data: Buffer) => {
    const message = readMessage(data);
    if (message?.type === "resize") running.resize?.(message);
    if (!stdin?.writable) return;
    if (message?.type === "stdin") waitForRoom(socket, writeTo(stdin, message.data));
    // A terminal's input has no end of its own.
    if (message?.type === "end" && !wants("tty")) stdin.end();
  });
  socket.resume();
  const hangUp = () => {
    if (!wants("tty")) stdin?.destroy();
    running.hangUp();
  };
  socket.on("close", hangUp);
  if (socket.readyState !== socket.OPEN) hangUp();
  const copy = async (from: AsyncIterable<Buffer>, channel: number) => {
    for await (const chunk of from) {
      await channels.send(channel, chunk);
      if (chunk.length < SMALL_BYTES) await deps.effects.sleep(REST_MS);
    }
  };
  const copies = [copy(running.stdout, Channel.stdout)];
  if (running.stderr) copies.push(copy(running.stderr, Channel.stderr));
  await Promise.all(copies);
  const ended = await running.outcome;
  socket.off("close", hangUp);
  await channels.finish(
    ended.code === undefined ? failureStatus(notStarted(request, ended.problem)) : exitStatus(ended.code),
  );
}

/** A kubelet's words; to clients of v5, for which the API server translates, they come as its own. */
function notStarted({ subprotocol }: PodStreamRequest, problem: string): string {
  const message = `error executing command in container: failed to exec in container: ${problem}`;
  return subprotocol.startsWith("v5.") ? internalError(message) : message;
}
