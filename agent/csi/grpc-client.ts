/** Calls of gRPC services that listen on a unix socket of this machine. */
import { connect as openSession } from "node:http2";
import { connect } from "node:net";
import { Code, callOf, FRAME_HEADER, framed, statusOf } from "../grpc.ts";

/** Names of codes, as Go's grpc prints them. https://grpc.io/docs/guides/status-codes/ */
const NAMES = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

/** A call that was refused or broke off; the message is as Go's grpc prints it. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(`rpc error: code = ${NAMES[code] ?? `Code(${code})`} desc = ${message}`);
    this.code = code;
  }
}

/** One call of `/SERVICE/METHOD`, on a connection of its own, which on this machine costs next to nothing. */
export function unary(socket: string, path: string, message: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const session = openSession("http://localhost", { createConnection: () => connect(socket) });
    const fail = (code: number, why: string) => {
      session.destroy();
      reject(new RpcError(code, why));
    };
    const lost = (error: Error) => fail(Code.unavailable, `connection error: desc = "${error.message}"`);
    session.on("error", lost);
    const call = session.request(callOf(path));
    const parts: Buffer[] = [];
    let status: ReturnType<typeof statusOf>;
    const heed = (headers: Record<string, unknown>) => {
      status = statusOf(headers) ?? status;
    };
    call.on("response", heed).on("trailers", heed);
    call.on("data", (part: Buffer) => parts.push(part));
    call.on("error", lost);
    call.setTimeout(timeoutMs, () => fail(Code.deadlineExceeded, "context deadline exceeded"));
    call.on("close", () => {
      if (!status) return fail(Code.unavailable, "the connection broke off");
      if (status.code !== 0) return fail(status.code, status.message);
      session.close();
      resolve(Buffer.concat(parts).subarray(FRAME_HEADER));
    });
    call.end(framed(message));
  });
}
