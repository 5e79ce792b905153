import type { CoreV1Container } from "../../worker/kinds/generated/types.ts";
import { type Backoff, heldUntil, raise } from "./backoff.ts";
import type { ContainerMemory, Exit } from "./memory.ts";

/** Counted anew for another image. */
const backoffOf = (known: ContainerMemory | undefined, { image }: CoreV1Container): Backoff | undefined =>
  known?.current?.image === (image ?? "") ? known.backoff : undefined;

/**
 * The end that a container waits from; undefined for one that may start at once. What ended with its sandbox did not
 * fail. What was stopped to be started again starts at once, unless the end before that one is too near.
 */
function endBefore(known: ContainerMemory | undefined, container: CoreV1Container, sandbox?: string): Exit | undefined {
  const { current, previous } = known ?? {};
  if (!current?.exit || current.sandbox !== sandbox) return undefined;
  if (!current.replaced) return current.exit;
  const before = previous?.exit;
  const isHeld = before && heldUntil(backoffOf(known, container), before.finishedAt) > current.exit.finishedAt;
  return isHeld ? current.exit : before;
}

/** When a container that has ended may start again (ms); 0 for at once. */
export function restartAt(known: ContainerMemory | undefined, container: CoreV1Container, sandbox?: string): number {
  const end = endBefore(known, container, sandbox);
  return end ? heldUntil(backoffOf(known, container), end.finishedAt) : 0;
}

/** The backoff of a container that starts again now. */
export function raised(
  known: ContainerMemory,
  container: CoreV1Container,
  sandbox: string,
  now: number,
  mostMs?: number,
): Backoff | undefined {
  const end = endBefore(known, container, sandbox);
  const backoff = backoffOf(known, container);
  return end ? raise(backoff, end.finishedAt, now, mostMs) : backoff;
}
