import { connect } from "node:http2";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { CoreV1GRPCAction } from "../../worker/kinds/generated/types.ts";
import type { Timers } from "../effects.ts";
import { Code, callOf, FRAME_HEADER, framed, numberIn, statusOf } from "../grpc.ts";
import type { Target, Verdict } from "./handler.ts";

const PROBE_AGENT = "kube-probe/1.35";
const CONNECT_AGAIN_MS = 1_000;
const SERVING = 1;
const servingStatuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const codeNames: Record<number, string> = {
  1: "Canceled",
  2: "Unknown",
  5: "NotFound",
  13: "Internal",
  14: "Unavailable",
};

type Answer = { kind: "answer"; status: number } | { kind: "refused"; code: number; message: string };
type Outcome = Answer | { kind: "unconnected" } | { kind: "late" };

/** https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export async function probeGrpc(
  { port, service = "" }: CoreV1GRPCAction,
  { ip }: Target,
  timers: Timers,
  timeoutMs: number,
): Promise<Verdict> {
  const address = `${ip}:${port}`;
  const within = `${timeoutMs / 1000}s`;
  const ended = AbortSignal.timeout(timeoutMs);
  let outcome = await check(address, service, ended);
  // A server that is not there yet is tried again until the time is over.
  while (outcome.kind === "unconnected" && !ended.aborted) {
    await timers.sleep(CONNECT_AGAIN_MS, ended).catch(() => {});
    if (!ended.aborted) outcome = await check(address, service, ended);
  }
  switch (outcome.kind) {
    case "unconnected":
      return no(`timeout: failed to connect service "${address}" within ${within}: context deadline exceeded`);
    case "late":
      return no(`timeout: health rpc did not complete within ${within}`);
    case "refused":
      return no(refusal(outcome));
    case "answer":
      return outcome.status === SERVING
        ? { ok: true, output: "service healthy" }
        : no(`service unhealthy (responded with "${servingStatuses[outcome.status] ?? outcome.status}")`);
  }
}

const no = (output: string): Verdict => ({ ok: false, output });

function refusal({ code, message }: { code: number; message: string }): string {
  if (code === Code.unimplemented)
    return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${message}`;
  return `error: health rpc probe failed: rpc error: code = ${codeNames[code] ?? `Code(${code})`} desc = ${message}`;
}

/** One attempt, of which no more is left when it resolves. */
function check(address: string, service: string, ended: AbortSignal): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const session = connect(`http://${address}`);
  let connected = false;
  const late = () => resolve(connected ? { kind: "late" } : { kind: "unconnected" });
  ended.addEventListener("abort", late, { once: true });
  session.on("connect", () => {
    connected = true;
  });
  session.on("error", (error) =>
    resolve(connected ? { kind: "refused", code: Code.unavailable, message: error.message } : { kind: "unconnected" }),
  );
  const stream = session.request({
    ...callOf("/grpc.health.v1.Health/Check"),
    "user-agent": PROBE_AGENT,
  });
  const message = service
    ? new BinaryWriter().tag(1, WireType.LengthDelimited).string(service).finish()
    : new Uint8Array();
  stream.end(framed(message));
  const chunks: Buffer[] = [];
  let refused: Answer | undefined;
  const heed = (headers: Record<string, unknown>) => {
    const status = statusOf(headers);
    if (status?.code) refused = { kind: "refused", ...status };
  };
  stream.on("response", heed).on("trailers", heed);
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", (error) =>
    resolve(connected ? { kind: "refused", code: Code.internal, message: error.message } : { kind: "unconnected" }),
  );
  stream.on("end", () =>
    resolve(refused ?? { kind: "answer", status: numberIn(Buffer.concat(chunks).subarray(FRAME_HEADER), 1) }),
  );
  return promise.finally(() => {
    ended.removeEventListener("abort", late);
    session.destroy();
  });
}
