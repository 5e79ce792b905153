import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { renderResolvConf } from "../network/dns/resolv-conf.ts";
import { SpecAnnotation } from "../node/oci-runtime.ts";
import { pauseOptions } from "./container-spec.ts";
import type { NodeContext, PodState } from "./context.ts";
import { parseSandboxName, type Sandbox, sandboxName } from "./memory.ts";
import { hostnameOf, printHosts } from "./network.ts";
import { observe } from "./observe.ts";

/** One that could not be made is tried again after so long, if nothing changes before. */
const RETRY_MS = 10_000;

/** Makes what a pod's containers share; false when that failed and the rest of the pod has to wait. */
export async function createSandbox(node: NodeContext, state: PodState, number: number): Promise<boolean> {
  const { events, effects } = node;
  const { pod } = state;
  if (number > 0)
    events.record(pod, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
  try {
    node.images.lookAhead(pod);
    await make(node, state, number);
    return true;
  } catch (error) {
    state.lookFully = true;
    const message = `Failed to create pod sandbox: ${(error as Error).message}`;
    events.record(pod, "Warning", "FailedCreatePodSandBox", message);
    state.retryAt = effects.now() + RETRY_MS;
    return false;
  }
}

async function make(node: NodeContext, state: PodState, number: number): Promise<void> {
  const { network, nodeName, host, clusterDomain, events } = node;
  const { pod, memory, uid } = state;
  hostnameOf(pod, nodeName, clusterDomain); // which no container could be given is known before any
  const resolver = network.dns(pod, (message) => events.record(pod, "Warning", "DNSConfigForming", message));
  host.cgroups.make(uid, pod);
  await closeSandbox(node, state);
  const sandbox: Sandbox = { id: sandboxName(uid, number), number, running: true };
  await runtimeOf(node, pod, sandbox);
  if (!pod.spec.hostNetwork) {
    sandbox.ip = await network.open(sandbox.id, pod);
    sandbox.ips = network.allOf(sandbox.ip);
    sandbox.network = network.pathOf(sandbox.id);
  }
  host.files.writeNames(uid, renderResolvConf(resolver), (machineHosts) =>
    printHosts(pod, sandbox.ips ?? [], clusterDomain, machineHosts),
  );
  const { flags } = await shareWith(node, pod, sandbox);
  if (pod.spec.shareProcessNamespace) await startPause(node, state, sandbox, flags);
  memory.sandbox = sandbox;
  memory.sandboxes = number + 1;
}

/** The runtime of the pod's RuntimeClass. Rejects, in the kubelet's and containerd's words, for one that is not here. */
async function runtimeOf({ host: { security } }: NodeContext, { spec }: CoreV1Pod, sandbox: Sandbox): Promise<string> {
  sandbox.handler ??= spec.runtimeClassName ? await security.handlerOf(spec.runtimeClassName) : "";
  const { handler } = sandbox;
  if (spec.hostUsers === false) {
    const who = handler ? `RuntimeClass handler ${JSON.stringify(handler)}` : "runtime";
    throw new Error(`can't set \`spec.hostUsers: false\`, ${who} does not support user namespaces`);
  }
  const runtime = security.runtimes.of(handler);
  if (runtime) return runtime;
  const cause = `no runtime for ${JSON.stringify(handler)} is configured`;
  throw new Error(`rpc error: code = Unknown desc = failed to get sandbox runtime: ${cause}`);
}

/** What all containers of a pod share beside its network: flags of `nerdctl run`, and what they find at /dev/shm. */
export type Shared = { flags: string[]; shm: string };

/** What is missing of it is made. */
export async function shareWith(node: NodeContext, pod: CoreV1Pod, sandbox: Sandbox): Promise<Shared> {
  const hostname = hostnameOf(pod, node.nodeName, node.clusterDomain);
  const { network } = sandbox;
  const { ipc, uts, shm } = await node.host.security.namespaces.open(sandbox.id, { pod, hostname, network });
  const annotations = [`${SpecAnnotation.ipc}=${ipc}`, `${SpecAnnotation.uts}=${uts}`];
  const flags = ["--runtime", await runtimeOf(node, pod, sandbox), ...annotations.flatMap((a) => ["--annotation", a])];
  return { flags, shm };
}

async function startPause(
  { runtime, effects, host }: NodeContext,
  state: PodState,
  sandbox: Sandbox,
  shared: readonly string[],
): Promise<void> {
  const cgroupParent = host.cgroups.parentOf(state.uid, state.pod);
  const made = await runtime.run(
    pauseOptions(state.pod, sandbox, { shared, cgroupParent, chance: effects.uid() }),
    "patient",
  );
  const { Pid: pid } = made.State;
  sandbox.pause = { id: made.Id, pid, startTicks: host.processes.startTicks(pid) };
  state.fresh.made.push(observe(made, effects));
}

/** Gives back a pod's namespaces, and those that it had before and are still there. Its containers have ended. */
export async function closeSandbox({ network, host }: NodeContext, { uid, memory }: PodState): Promise<void> {
  const { sandbox } = memory;
  for (const shared of [host.security.namespaces, network])
    for (const name of shared.opened()) if (parseSandboxName(name).uid === uid) await shared.close(name);
  if (sandbox) sandbox.running = false;
}
