import type { CoreV1Container, CoreV1LifecycleHandler, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { NodeContext, PodState } from "./context.ts";
import type { Verdict } from "./handler.ts";

/** Tells users of a hook that went wrong: not how, as its output may hold secrets. False when it did. */
export function tellHook(
  node: NodeContext,
  { pod }: PodState,
  hook: "PostStart" | "PreStop",
  container: CoreV1Container,
  { ok, warning }: Verdict,
): boolean {
  if (warning) node.events.record(pod, "Warning", "LifecycleHTTPFallback", warning);
  if (!ok) node.events.record(pod, "Warning", `Failed${hook}Hook`, `${hook}Hook failed`, container.name);
  return ok;
}

/** What the pod's status says of a postStart hook that failed. */
export function hookFailure(
  hook: CoreV1LifecycleHandler,
  { metadata: { name, namespace, uid } }: CoreV1Pod,
  container: CoreV1Container,
  { output, error = output }: Verdict,
): string {
  const where = `for Container "${container.name}" in Pod "${name}_${namespace}(${uid})" failed - error: ${error}`;
  if (hook.exec) {
    const command = (hook.exec.command ?? []).join(" ");
    return `Exec lifecycle hook ([${command}]) ${where}, message: ${JSON.stringify(output)}`;
  }
  return hook.httpGet
    ? `HTTP lifecycle hook (${hook.httpGet.path ?? ""}) ${where}`
    : "Cannot run handler: invalid handler";
}
