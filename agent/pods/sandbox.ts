import { renderResolvConf } from "../network/dns/resolv-conf.ts";
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
  if (!pod.spec.hostNetwork) {
    sandbox.ip = await network.open(sandbox.id);
    sandbox.network = network.pathOf(sandbox.id);
  }
  host.files.writeNames(uid, renderResolvConf(resolver), (machineHosts) =>
    printHosts(pod, sandbox.ip ?? "", clusterDomain, machineHosts),
  );
  if (pod.spec.shareProcessNamespace) await startPause(node, state, sandbox);
  memory.sandbox = sandbox;
  memory.sandboxes = number + 1;
}

async function startPause({ runtime, effects, host }: NodeContext, state: PodState, sandbox: Sandbox): Promise<void> {
  const parent = host.cgroups.parentOf(state.uid, state.pod);
  const made = await runtime.run(pauseOptions(state.pod, sandbox, parent, effects.uid()), "patient");
  const { Pid: pid } = made.State;
  sandbox.pause = { id: made.Id, pid, startTicks: host.processes.startTicks(pid) };
  state.fresh.made.push(observe(made, effects));
}

/** Gives back a pod's network, and those that it had before and are still there. Its containers have ended. */
export async function closeSandbox({ network }: NodeContext, { uid, memory: { sandbox } }: PodState): Promise<void> {
  for (const name of network.opened()) if (parseSandboxName(name).uid === uid) await network.close(name);
  if (sandbox) sandbox.running = false;
}
