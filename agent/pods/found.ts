import type { PodState } from "./context.ts";
import { containerNamed } from "./fields.ts";
import type { Host } from "./host.ts";
import { isRunning } from "./memory.ts";

/** A container as the streams (exec, attach, logs) need it. Files are json-file logs with rotated ones beside them. */
export type FoundContainer = {
  containerId: string;
  pid: number | undefined;
  logPath: string;
  previousLogPath?: string;
  running: boolean;
  tty: boolean;
  stdin: boolean;
  /** For `attachTo`; undefined for one that an agent before this one started by `nerdctl run`. */
  attachSocket?: string | undefined;
};

/** `name` is "" for the pod's only or first container. */
export function foundContainer({ pod, memory }: PodState, name: string, host: Host): FoundContainer | undefined {
  const wanted = name || pod.spec.containers[0]?.name || "";
  const known = memory.containers[wanted];
  const spec = containerNamed(pod, wanted);
  if (!known?.current || !spec) return undefined;
  const { current, previous } = known;
  return {
    containerId: current.id,
    pid: current.pid,
    logPath: current.logPath ?? "",
    ...(previous?.logPath ? { previousLogPath: previous.logPath } : {}),
    running: isRunning(known),
    tty: spec.tty === true,
    stdin: spec.stdin === true,
    attachSocket: host.attachSocket(current.id),
  };
}
