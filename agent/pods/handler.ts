import type { CoreV1Container, CoreV1LifecycleHandler, CoreV1Probe } from "../../worker/kinds/generated/types.ts";

export type Action = CoreV1Probe & CoreV1LifecycleHandler;

/**
 * What a probe or hook found; `output` is what users are told. `errored`: it could not be asked, which says nothing.
 * `warning`: it went well, in a way that users should know of. `error`: what failed, where `output` does not say it.
 */
export type Verdict = { ok: boolean; output: string; errored?: true; warning?: string; error?: string };

/** Where a handler acts. */
export type Target = { container: CoreV1Container; containerId: string; ip: string };

export type Purpose = "probe" | "lifecycle";

/** Does an action. Never rejects. */
export type Act = (action: Action, target: Target, timeoutMs: number, purpose: Purpose) => Promise<Verdict>;

export const MOST_OUTPUT = 10 * 1024;

/** A port by its number or by its name in the container. */
export function portOf(port: number | string, container: CoreV1Container): number {
  const found = container.ports?.find((p) => p.name === port)?.containerPort ?? Number(port);
  if (Number.isNaN(found)) throw new Error(`strconv.Atoi: parsing "${port}": invalid syntax`);
  if (!Number.isInteger(found) || found < 1 || found > 65_535) throw new Error(`invalid port number: ${found}`);
  return found;
}

const DIAL_ERRORS: Record<string, string> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "connect: connection timed out",
};

/** In the words of Go's net package, which users of Kubernetes know and search for. */
export function netError(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.message === "socket hang up") return "EOF";
  if (error.code === "ECONNRESET") return `read tcp ${host}:${port}: read: connection reset by peer`;
  if (error.code === "ENOTFOUND") return `dial tcp: lookup ${host}: no such host`;
  return `dial tcp ${host}:${port}: ${DIAL_ERRORS[error.code ?? ""] ?? error.message}`;
}
