/** `healthcheck`: whether a pod is ready. */
import type { Value } from "../tree.ts";
import type { Container, Probe } from "./model.ts";
import { ownLabel } from "./model.ts";
import { wholeSeconds } from "./values.ts";

/** Docker's own. */
const INTERVAL_SECONDS = 30;
const TIMEOUT_SECONDS = 30;
const RETRIES = 3;

/**
 * Docker restarts nobody for being unhealthy, so it is a readiness probe; with the label `skerry.dev/restart-unhealthy` a
 * liveness probe too, which `start_period` holds back.
 */
export function probesOf(service: Value): Pick<Container, "readinessProbe" | "livenessProbe" | "startupProbe"> {
  const check = service.get("healthcheck");
  if (!check || check.get("disable")?.flag()) return {};
  const command = testOf(check.get("test"));
  if (command === "none") return {};
  if (!command)
    return check.note("without a test it is the image's, which Kubernetes does not look at", "give it a test") ?? {};
  const periodSeconds = wholeSeconds(check.get("interval")) ?? INTERVAL_SECONDS;
  const probe: Probe = {
    exec: { command },
    periodSeconds,
    timeoutSeconds: wholeSeconds(check.get("timeout")) ?? TIMEOUT_SECONDS,
    failureThreshold: Math.max(1, check.get("retries")?.integer() ?? RETRIES),
  };
  if (!ownLabel(service, "restart-unhealthy")?.flag()) return { readinessProbe: probe };
  const start = wholeSeconds(check.get("start_period")) ?? 0;
  const startPeriod = wholeSeconds(check.get("start_interval")) ?? periodSeconds;
  const failures = Math.ceil(start / startPeriod) + (probe.failureThreshold ?? RETRIES);
  return {
    readinessProbe: probe,
    livenessProbe: probe,
    ...(start > 0 && { startupProbe: { ...probe, periodSeconds: startPeriod, failureThreshold: failures } }),
  };
}

export const hasHealthcheck = (service: Value): boolean => probesOf(service).readinessProbe !== undefined;

function testOf(test: Value | undefined): string[] | "none" | undefined {
  if (!test) return undefined;
  const shell = (text: string | undefined) => ["/bin/sh", "-c", text ?? ""];
  if (!test.isList) return shell(test.text());
  const [kind, ...rest] = test.texts();
  if (kind === "NONE") return "none";
  if (kind === "CMD-SHELL") return shell(rest[0]);
  return kind === "CMD" && rest.length > 0 ? rest : test.invalid("begins with CMD, CMD-SHELL or NONE");
}
