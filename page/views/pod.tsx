import { partOf } from "../api/discovery.ts";
import type { ContainerStatus, Pod } from "../api/objects.ts";
import { moodOf, statusOf } from "../facts/pods.ts";
import { Events } from "../parts/events.tsx";
import { Files } from "../parts/files.tsx";
import { Forwards } from "../parts/forwards.tsx";
import { History } from "../parts/history.tsx";
import { Logs } from "../parts/logs.tsx";
import { Action, Age, Badge, FreshnessLine, Rows } from "../parts/parts.tsx";
import { TerminalPart } from "../parts/terminal.tsx";
import { useClient, useWatched } from "../state/cluster.ts";
import { go, href } from "../state/route.ts";

export function PodView({ namespace, name }: { namespace: string; name: string }) {
  const client = useClient();
  // Of its own, so that a terminal stays open whatever namespace is chosen.
  const path = `/api/v1/namespaces/${partOf(namespace)}/pods`;
  const watched = useWatched<Pod>(path, `fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`);
  const [listed, freshness] = [watched.listed.value, watched.freshness.value];
  const [pod] = watched.objects.value.values();
  if (!pod)
    return listed ? <p class="notice">{`There is no pod ${namespace}/${name}.`}</p> : <FreshnessLine of={freshness} />;
  const { status, spec } = pod;
  const running = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])]
    .filter(({ state }) => state?.running)
    .map((container) => container.name);
  const remove = async () => {
    await client.json(`/api/v1/namespaces/${namespace}/pods/${name}`, { method: "DELETE" });
    go("workloads");
  };
  return (
    <>
      <h1>
        {name} <small>{`pod in ${namespace}`}</small> <Badge mood={moodOf(pod)}>{statusOf(pod)}</Badge>
      </h1>
      <FreshnessLine of={freshness} />
      <p>
        {spec.nodeName ? `On node ${spec.nodeName}` : "On no node yet"}
        {status.podIP && `, address ${status.podIP}`}, made <Age of={pod.metadata.creationTimestamp} /> ago.
      </p>
      {status.message && <p class="notice">{status.message}</p>}
      <div class="actions">
        <Action label="Delete" question={`Delete pod ${name}?`} run={remove} />
        <a class="button" href={href("any", "", "v1", "pods", namespace, name)}>
          YAML
        </a>
      </div>
      <section aria-labelledby="containers">
        <h2 id="containers">Containers</h2>
        <Rows heads={["Name", "Image", "State", "Restarts"]}>
          {[...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].map((container) => (
            <tr key={container.name}>
              <th scope="row">{container.name}</th>
              <td class="wrap">{container.image}</td>
              <td class="wrap">{stateOf(container)}</td>
              <td>{container.restartCount}</td>
            </tr>
          ))}
        </Rows>
      </section>
      <Forwards pod={pod} />
      <section aria-labelledby="conditions">
        <h2 id="conditions">Conditions</h2>
        <ul class="plain">
          {(status.conditions ?? []).map(({ type, status: is, message, reason }) => (
            <li key={type}>
              <Badge mood={is === "True" ? "good" : "busy"}>{type}</Badge> {wordsOf(type, is)}
              {is !== "True" && (message ?? reason) && ` ${message ?? reason}`}
            </li>
          ))}
        </ul>
      </section>
      <Logs sources={spec.containers.map((container) => ({ namespace, pod: name, container: container.name }))} />
      <TerminalPart namespace={namespace} pod={name} containers={running} />
      {running.map((container) => (
        <Files key={container} target={{ namespace, pod: name, container }} />
      ))}
      {!pod.metadata.ownerReferences?.some(({ controller }) => controller) && (
        <History of={{ namespace, workload: `Pod/${name}` }} />
      )}
      <Events namespace={namespace} kind="Pod" name={name} />
    </>
  );
}

function stateOf({ state, lastState }: ContainerStatus): string {
  const before = lastState?.terminated;
  const ended = before ? `; before, ${before.reason ?? "ended"} with exit code ${before.exitCode}` : "";
  if (state?.running) return `running${ended}`;
  if (state?.terminated) return `${state.terminated.reason ?? "ended"}, exit code ${state.terminated.exitCode}`;
  return `${state?.waiting?.reason ?? "waiting"}${state?.waiting?.message ? `: ${state.waiting.message}` : ""}${ended}`;
}

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions */
const CONDITIONS: Record<string, readonly [string, string]> = {
  PodScheduled: ["A node was found for it.", "No node was found for it yet."],
  PodReadyToStartContainers: ["Its network is set up.", "Its network is not set up."],
  Initialized: ["Its init containers have done their work.", "Its init containers are at work."],
  ContainersReady: ["All its containers are ready.", "Not all of its containers are ready."],
  Ready: ["It takes requests.", "It takes no requests."],
};

const wordsOf = (type: string, status: string) => CONDITIONS[type]?.[status === "True" ? 0 : 1] ?? "";
