import { connect } from "node:net";
import type { Timers } from "../effects.ts";
import type { Nerdctl } from "../nerdctl.ts";
import { expand } from "./env.ts";
import { probeGrpc } from "./grpc-handler.ts";
import { type Action, MOST_OUTPUT, netError, type Purpose, portOf, type Target, type Verdict } from "./handler.ts";
import { hookHttp, probeHttp } from "./http-handler.ts";

type Means = { nerdctl: Nerdctl; timers: Timers; purpose: Purpose };
/** One way to act on a container. */
type Handler = {
  name: string;
  purposes: readonly Purpose[];
  matches(action: Action): boolean;
  run(action: Action, target: Target, means: Means, timeoutMs: number): Promise<Verdict>;
};

/** What nerdctl takes on a busy machine until the command runs; it is not the command's own time. */
const START_MS = 1_000;

const exec: Handler = {
  name: "exec",
  purposes: ["probe", "lifecycle"],
  matches: (action) => action.exec !== undefined,
  async run({ exec: action }, { container, containerId }, { nerdctl, purpose }, timeoutMs) {
    const given = action?.command ?? [];
    // Of the environment a probe knows only what the container itself says; a hook nothing.
    const known = new Map(container.env?.map(({ name, value }) => [name, value ?? ""]));
    const command = purpose === "probe" ? given.map((text) => expand(text, (name) => known.get(name))) : given;
    const done = await nerdctl.exec(containerId, command, timeoutMs + START_MS);
    const output = (done.stdout + done.stderr).slice(0, MOST_OUTPUT);
    if (done.code === 137 && !output) {
      const late = `command timed out: "${command.join(" ")}" timed out after ${timeoutMs / 1000}s`;
      return { ok: false, output: late };
    }
    if (done.code === 0) return { ok: true, output };
    const error = `command '${command.join(" ")}' exited with ${done.code}: ${done.stderr}`;
    return { ok: false, output, error };
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
