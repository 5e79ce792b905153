import { connect } from "node:net";
import type { Timers } from "../effects.ts";
import type { ExecOnce } from "../streams/exec-once.ts";
import { expand } from "./env.ts";
import { probeGrpc } from "./grpc-handler.ts";
import { type Action, MOST_OUTPUT, netError, type Purpose, portOf, type Target, type Verdict } from "./handler.ts";
import { hookHttp, probeHttp } from "./http-handler.ts";

type Means = { exec: ExecOnce; timers: Timers; purpose: Purpose };
/** One way to act on a container. */
type Handler = {
  name: string;
  purposes: readonly Purpose[];
  matches(action: Action): boolean;
  run(action: Action, target: Target, means: Means, timeoutMs: number): Promise<Verdict>;
};

/** As kubelets hear it of containerd. */
function cannotExec(error: Error): never {
  throw new Error(`rpc error: code = Unknown desc = failed to exec in container: ${error.message}`);
}

const exec: Handler = {
  name: "exec",
  purposes: ["probe", "lifecycle"],
  matches: (action) => action.exec !== undefined,
  async run({ exec: action }, { container, containerId }, { exec, purpose }, timeoutMs) {
    const given = action?.command ?? [];
    // Of the environment a probe knows only what the container itself says; a hook nothing.
    const known = new Map(container.env?.map(({ name, value }) => [name, value ?? ""]));
    const command = purpose === "probe" ? given.map((text) => expand(text, (name) => known.get(name))) : given;
    const { code, stdout, stderr } = await exec(containerId, command, timeoutMs, MOST_OUTPUT).catch(cannotExec);
    const output = (stdout + stderr).slice(0, MOST_OUTPUT);
    const words = command.join(" ");
    if (code === undefined)
      return { ok: false, output: `command timed out: "${words}" timed out after ${timeoutMs / 1000}s` };
    return code === 0
      ? { ok: true, output }
      : { ok: false, output, error: `command '${words}' exited with ${code}: ${stderr}` };
  },
};

const http: Handler = {
  name: "httpGet",
  purposes: ["probe", "lifecycle"],
  matches: (action) => action.httpGet !== undefined,
  run({ httpGet: action }, target, { purpose }, timeoutMs) {
    if (!action) return Promise.resolve(UNKNOWN);
    return purpose === "probe" ? probeHttp(action, target, timeoutMs) : hookHttp(action, target, timeoutMs);
  },
};

const tcp: Handler = {
  name: "tcpSocket",
  purposes: ["probe"],
  matches: (action) => action.tcpSocket !== undefined,
  run({ tcpSocket: action }, target, _, timeoutMs) {
    const port = portOf(action?.port ?? 0, target.container);
    const host = action?.host || target.ip;
    return new Promise((resolve) => {
      const socket = connect({ host, port, timeout: timeoutMs });
      const end = (verdict: Verdict) => {
        socket.destroy();
        resolve(verdict);
      };
      socket.once("connect", () => end({ ok: true, output: "" }));
      socket.once("timeout", () => end({ ok: false, output: `dial tcp ${host}:${port}: i/o timeout` }));
      socket.once("error", (error) => end({ ok: false, output: netError(error, host, port) }));
    });
  },
};

const grpc: Handler = {
  name: "grpc",
  purposes: ["probe"],
  matches: (action) => action.grpc !== undefined,
  run: ({ grpc: action }, target, { timers }, timeoutMs) =>
    action ? probeGrpc(action, target, timers, timeoutMs) : Promise.resolve(UNKNOWN),
};

const sleep: Handler = {
  name: "sleep",
  purposes: ["lifecycle"],
  matches: (action) => action.sleep !== undefined,
  async run({ sleep: action }, _target, { timers }) {
    await timers.sleep((action?.seconds ?? 0) * 1000);
    return { ok: true, output: "" };
  },
};

const handlers: readonly Handler[] = [exec, http, tcp, grpc, sleep];

const UNKNOWN: Verdict = { ok: false, errored: true, output: "missing probe handler" };

/** Does what a probe or lifecycle hook says. Never rejects. */
export async function act(action: Action, target: Target, means: Means, timeoutMs: number): Promise<Verdict> {
  const handler = handlers.find((h) => h.purposes.includes(means.purpose) && h.matches(action));
  if (!handler) return UNKNOWN;
  try {
    return await handler.run(action, target, means, timeoutMs);
  } catch (error) {
    return { ok: false, errored: true, output: (error as Error).message };
  }
}
