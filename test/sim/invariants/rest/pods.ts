/** When everything has come to rest: what runs is what is wanted, and pods say what is true of them. */
import { hasSchedulingGates } from "../../../../worker/kinds/core/pod-conditions.ts";
import type { CoreV1ContainerStatus, CoreV1Node } from "../../../../worker/kinds/generated/types.ts";
import { runningOf } from "../containers.ts";
import { describe, type Entry } from "../history.ts";
import { isPodActive, isPodReady, isPodTerminal, type Pod } from "../pods.ts";
import type { Rule, Scene } from "../rule.ts";
import { misfit } from "../scheduling.ts";
import { isHopeless } from "./workloads.ts";

/** Waits for what only other places, times or company than these rules know of would bring. */
const isParticular = ({ spec }: Pod): boolean =>
  spec.affinity !== undefined ||
  spec.topologySpreadConstraints !== undefined ||
  (spec.schedulerName ?? "default-scheduler") !== "default-scheduler";

export const pendingForAReason: Rule = {
  rule: "rest-pods-wait-only-for-room",
  start: ({ history, fail }) => ({
    rested() {
      for (const entry of history.all<Pod>("pods")) {
        const { object: pod } = entry;
        if (pod.spec.nodeName || !isPodActive(pod) || hasSchedulingGates(pod) || isParticular(pod)) continue;
        const fits = history.objects<CoreV1Node>("nodes").find((node) => misfit(history, pod, node) === undefined);
        if (fits) fail(`${describe(entry)} has no node, and ${fits.metadata?.name} would do`);
      }
    },
  }),
};

export const nothingStray: Rule = {
  rule: "rest-no-stray-containers",
  start: ({ history, truth, fail }) => ({
    rested() {
      for (const { podUid, namespace, pod: name, name: container, node, state, id } of truth.containers().values()) {
        const what = `container ${id} (${container} of ${namespace}/${name} ${podUid}) on ${node} is ${state}`;
        const pod = history.byUid<Pod>(podUid)?.object;
        if (!pod) fail(`${what}, and there is no such pod`);
        if (pod?.spec.nodeName !== node) fail(`${what}, and its pod is on ${pod?.spec.nodeName}`);
        if (pod && isPodTerminal(pod) && state === "running") fail(`${what}, and its pod is ${pod.status?.phase}`);
      }
    },
  }),
};

/** Containers that wait for a reason of their own. */
const EXCUSED = new Set([
  "CrashLoopBackOff",
  "ImagePullBackOff",
  "ErrImagePull",
  "CreateContainerConfigError",
  "RunContainerError",
]);

export const wantedRuns: Rule = {
  rule: "rest-wanted-pods-run",
  start: (scene) => ({
    rested() {
      for (const entry of scene.history.all<Pod>("pods")) {
        const { spec } = entry.object;
        const isUp = spec.nodeName !== undefined && scene.truth.nodes().get(spec.nodeName)?.running;
        if (isUp && isPodActive(entry.object) && !isHopeless(entry.object)) checkRuns(scene, entry);
      }
    },
  }),
};

function checkRuns({ truth, fail }: Scene, entry: Entry<Pod>): void {
  const { spec, status } = entry.object;
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const isExcused = statuses.some(({ state }) => EXCUSED.has(state?.waiting?.reason ?? ""));
  const running = runningOf(truth.containers().values(), entry.uid);
  for (const told of statuses) checkStatus(entry, told, running.get(told.name)?.id, fail);
  if (isExcused || spec.restartPolicy === "Never" || spec.restartPolicy === "OnFailure") return;
  for (const { name } of spec.containers)
    if (!running.has(name)) fail(`${describe(entry)} wants ${name} to run, and it does not`);
  const sandbox = running.get("POD");
  if (!sandbox && !spec.hostNetwork) return fail(`${describe(entry)} has no sandbox`);
  if (status?.phase !== "Running") fail(`${describe(entry)} runs and is called ${status?.phase}`);
  if (sandbox?.ip && status?.podIP !== sandbox.ip)
    fail(`${describe(entry)} has ${sandbox.ip} and says ${status?.podIP}`);
  const isProbed = spec.containers.some(
    ({ readinessProbe, startupProbe, livenessProbe }) => readinessProbe ?? startupProbe ?? livenessProbe,
  );
  if (!isProbed && !spec.readinessGates?.length && !isPodReady(entry.object))
    fail(`${describe(entry)} runs and is not ready`);
}

function checkStatus(
  entry: Entry,
  { name, state, containerID = "" }: CoreV1ContainerStatus,
  id: string | undefined,
  fail: Scene["fail"],
): void {
  if (!state?.running) {
    if (id) fail(`${describe(entry)} calls ${name} not running, and ${id} runs`);
    return;
  }
  const told = containerID.split("://").at(-1);
  if (told !== id) fail(`${describe(entry)} says that ${told} runs as ${name}, and ${id ?? "nothing"} does`);
}
