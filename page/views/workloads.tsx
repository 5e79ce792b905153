import type { Pod, ReplicaSet, Workload } from "../api/objects.ts";
import { isReady, moodOf, restartsOf, statusOf } from "../facts/pods.ts";
import { podsOf, progressOf, WORKLOADS, type WorkloadKind } from "../facts/workloads.ts";
import { Age, Badge, FreshnessLine, Rows } from "../parts/parts.tsx";
import { type Paths, useFreshness, useObjects, usePaths } from "../state/cluster.ts";
import { href } from "../state/route.ts";

const COLLECTIONS = {
  Deployment: "deployments",
  StatefulSet: "statefulSets",
  DaemonSet: "daemonSets",
} as const satisfies Record<WorkloadKind, keyof Paths>;

/** All of the three kinds, each told which it is: what a list has does not say. */
export function useWorkloads(paths: Paths) {
  const workloads = Object.entries(COLLECTIONS).flatMap(([kind, name]) =>
    useObjects<Workload>(paths[name]).map((workload) => ({ ...workload, kind: kind as WorkloadKind })),
  );
  return { workloads, ...useFreshness(Object.values(COLLECTIONS).map((name) => paths[name])) };
}

export function Workloads() {
  const paths = usePaths();
  const { workloads, listed, freshness } = useWorkloads(paths);
  const pods = useObjects<Pod>(paths.pods);
  const replicaSets = useObjects<ReplicaSet>(paths.replicaSets);
  const lone = pods.filter(({ metadata }) => !metadata.ownerReferences?.length);
  return (
    <>
      <h1>Workloads</h1>
      <FreshnessLine of={freshness} />
      {listed && workloads.length === 0 && (
        <p class="hint">
          None yet: <code>kubectl create deployment web --image=nginx</code> makes one.
        </p>
      )}
      <Rows heads={["Name", "Namespace", "Kind", "Ready", "State", "Pods", "Age"]}>
        {workloads.map((workload) => {
          const { kind, metadata } = workload;
          const { namespace = "", name } = metadata;
          const progress = progressOf(workload);
          return (
            <tr key={metadata.uid}>
              <th scope="row">
                <a href={href("workloads", WORKLOADS[kind], namespace, name)}>{name}</a>
              </th>
              <td>{namespace}</td>
              <td>{kind}</td>
              <td>{`${progress.ready}/${progress.wanted}`}</td>
              <td>
                <Badge mood={progress.mood}>{progress.words}</Badge>
              </td>
              <td>
                <Dots pods={podsOf(workload, pods, replicaSets)} />
              </td>
              <td>
                <Age of={metadata.creationTimestamp} />
              </td>
            </tr>
          );
        })}
      </Rows>
      <p>
        <a href={href("kept")}>Logs that are kept</a>
      </p>
      {lone.length > 0 && (
        <section aria-labelledby="lone">
          <h2 id="lone">Pods of their own</h2>
          <PodRows pods={lone} />
        </section>
      )}
    </>
  );
}

const Dots = ({ pods }: { pods: readonly Pod[] }) => (
  <span class="dots" aria-hidden="true">
    {pods.map((pod) => (
      <span key={pod.metadata.uid} class={`dot ${moodOf(pod)}`} />
    ))}
  </span>
);

export const PodRows = ({ pods }: { pods: readonly Pod[] }) => (
  <Rows heads={["Pod", "Namespace", "Status", "Ready", "Restarts", "Node", "Age"]}>
    {pods.map((pod) => (
      <tr key={pod.metadata.uid}>
        <th scope="row">
          <a href={href("pods", pod.metadata.namespace ?? "", pod.metadata.name)}>{pod.metadata.name}</a>
        </th>
        <td>{pod.metadata.namespace}</td>
        <td>
          <Badge mood={moodOf(pod)}>{statusOf(pod)}</Badge>
        </td>
        <td>{isReady(pod) ? "yes" : "no"}</td>
        <td>{restartsOf(pod)}</td>
        <td>{pod.spec.nodeName ?? ""}</td>
        <td>
          <Age of={pod.metadata.creationTimestamp} />
        </td>
      </tr>
    ))}
  </Rows>
);
