import { renderResolvConf } from "../network/dns/resolvConf.ts";
import { sandboxOptions } from "./container-spec.ts";
import type { NodeContext, PodState } from "./context.ts";
import { hostnameOf, printHosts } from "./network.ts";
import { observe } from "./observe.ts";

/** One that could not be made is tried again after so long, if nothing changes before. */
const RETRY_MS = 10_000;

/** Makes the container that holds a pod's namespaces; false when that failed and the rest of the pod has to wait. */
export async function createSandbox(node: NodeContext, state: PodState, number: number): Promise<boolean> {
  const { events, effects } = node;
  const { pod } = state;
  if (number > 0)
    events.record(pod, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
  try {
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

async function make(node: NodeContext, { pod, memory, uid, fresh }: PodState, number: number): Promise<void> {
  const { runtime, network, nodeName, effects, host, clusterDomain } = node;
  host.cgroups.make(uid, pod);
  const given = { nodeName, networkName: network.networkName, chance: effects.uid() };
  const id = await runtime.run(sandboxOptions(pod, number, given), "patient");
  const [made] = await runtime.inspect([id]);
  if (!made) throw new Error("the pause container is gone");
  const ip = made.NetworkSettings?.IPAddress || undefined;
  const { Pid: pid } = made.State;
  memory.sandbox = { id, number, ip, pid, startTicks: host.processes.startTicks(pid), running: true };
  memory.sandboxes = number + 1;
  fresh.made.push(observe(made));
  host.files.writeNames(made, renderResolvConf(network.dns(pod)), (machineHosts) =>
    printHosts(pod, ip ?? "", hostnameOf(pod, nodeName), clusterDomain, machineHosts),
  );
}
