import { parseSandboxName } from "../../../agent/pods/memory.ts";
import type { CoreV1Container, CoreV1Pod } from "../../../worker/kinds/generated/types.ts";
import type { TinyCluster } from "./testing.ts";

/** What is not as it should be, on a node that has had its time. */
export function wrong(cluster: TinyCluster): string[] {
  const pods = cluster.pods();
  return [...cluster.breaks, ...leftBehind(cluster, pods), ...pods.flatMap((pod) => wrongWith(cluster, pod))];
}

/** Nothing is left of pods that are gone, and of the others no more than is needed. */
function leftBehind({ node, containers }: TinyCluster, pods: readonly CoreV1Pod[]): string[] {
  const uids = new Set(pods.map(({ metadata }) => metadata.uid ?? ""));
  const strays = [...containers.values()].filter(({ container }) => !uids.has(container.podUid));
  const networks = [...node.machine.networks.keys()];
  return [
    ...strays.map(({ container, state }) => `${container.pod}/${container.name} of no pod is ${state}`),
    ...[...node.disk.pods.keys()].filter((uid) => !uids.has(uid)).map((uid) => `the disk holds ${uid}`),
    ...networks.filter((name) => !uids.has(parseSandboxName(name).uid)).map((name) => `network ${name} is left`),
    ...(networks.length > pods.length ? [`${networks.length} networks for ${pods.length} pods`] : []),
  ];
}

function wrongWith(cluster: TinyCluster, pod: CoreV1Pod): string[] {
  const { name = "", deletionTimestamp } = pod.metadata;
  if (deletionTimestamp) return [`${name} is not deleted`];
  const { containers, initContainers = [], restartPolicy, hostNetwork } = pod.spec;
  const phase = pod.status?.phase;
  const lies = wrongExits(cluster, pod);
  if (lies.length) return lies;
  if (restartPolicy) return phase === "Succeeded" || phase === "Failed" ? [] : [`${name} is ${phase}`];
  const ip = cluster.running().find(({ container }) => container.podUid === pod.metadata.uid && container.ip);
  const kept = [...cluster.containers.values()].filter(({ container }) => container.pod === name).length;
  const most = 2 * (containers.length + initContainers.length) + 1;
  return [
    ...(hostNetwork || pod.status?.podIP === ip?.container.ip ? [] : [`${name} is said to be ${pod.status?.podIP}`]),
    ...(kept > most ? [`${name} has ${kept} containers`] : []),
    ...initContainers.filter((c) => c.restartPolicy === "Always").flatMap((c) => wrongContainer(cluster, pod, c)),
    ...containers.flatMap((c) => wrongContainer(cluster, pod, c)),
  ];
}

function wrongContainer(cluster: TinyCluster, { metadata, status }: CoreV1Pod, spec: CoreV1Container): string[] {
  if (!/^(app|stubborn)/.test(spec.image ?? "")) return [];
  const name = `${metadata.name}/${spec.name}`;
  const runs = cluster.running(metadata.name).find(({ container }) => container.name === spec.name);
  if (!runs) return [`${name} does not run`];
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const said = statuses.find((s) => s.name === spec.name);
  if (!said?.state?.running || said.containerID !== `containerd://${runs.container.id}`)
    return [`${name} runs and is said to be ${JSON.stringify(said)}`];
  return said.ready && status?.phase === "Running" ? [] : [`${name} is ready: ${said.ready}, its pod ${status?.phase}`];
}

/** How containers are said to have ended is how they did, as far as the runtime still knows. */
function wrongExits({ node: { machine } }: TinyCluster, { metadata, status }: CoreV1Pod): string[] {
  return (status?.containerStatuses ?? []).flatMap(({ name, state, lastState }) =>
    [state?.terminated, lastState?.terminated].flatMap((said) => {
      const container = machine.containers.get(said?.containerID?.replace("containerd://", "") ?? "");
      const end = container?.lost ? undefined : container?.task?.end;
      if (!said || !end || (said.exitCode === end.code && (said.reason === "OOMKilled") === end.oom)) return [];
      return [
        `${metadata.name}/${name} ended with ${JSON.stringify(end)} and is said to have with ${said.exitCode}, ${said.reason}`,
      ];
    }),
  );
}
