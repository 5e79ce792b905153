import { useState } from "preact/hooks";
import type { Client } from "../api/client.ts";
import type { Pod, ReplicaSet, Workload } from "../api/objects.ts";
import { timestamp } from "../effects.ts";
import { count } from "../facts/words.ts";
import { byRevision, pathOf, podsOf, progressOf, type WorkloadKind } from "../facts/workloads.ts";
import { Events } from "../parts/events.tsx";
import { History } from "../parts/history.tsx";
import { Logs } from "../parts/logs.tsx";
import { Action, Badge, FreshnessLine, NumberField } from "../parts/parts.tsx";
import { useClient, useObjects, usePaths } from "../state/cluster.ts";
import { href } from "../state/route.ts";
import { PodRows, useWorkloads } from "./workloads.tsx";

const MERGE = "application/merge-patch+json";

const patch = (client: Client, path: string, body: unknown) =>
  client.json(path, { method: "PATCH", contentType: MERGE, body });

/** What `kubectl rollout restart` does. */
const restart = (client: Client, path: string) =>
  patch(client, path, {
    spec: {
      template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": timestamp() } } },
    },
  });

const REVISION = "deployment.kubernetes.io/revision";
type Template = ReplicaSet & { spec: { template: { metadata: { labels?: Record<string, string> } } } };

/** What `kubectl rollout undo` does: the template of the revision before becomes the newest. */
async function undo(client: Client, path: string, deployment: Workload, replicaSets: readonly ReplicaSet[]) {
  const revision = ({ metadata }: ReplicaSet | Workload) => Number(metadata.annotations?.[REVISION] ?? 0);
  const before = replicaSets
    .filter((set) => set.metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid))
    .filter((set) => revision(set) < revision(deployment))
    .toSorted((a, b) => revision(b) - revision(a))[0] as Template | undefined;
  if (!before) throw new Error("There is no revision before this one.");
  const { template } = structuredClone(before.spec);
  if (template.metadata.labels) delete template.metadata.labels["pod-template-hash"];
  await client.json(path, {
    method: "PATCH",
    contentType: "application/json-patch+json",
    body: [{ op: "replace", path: "/spec/template", value: template }],
  });
}

export function WorkloadView({ kind, namespace, name }: { kind: WorkloadKind; namespace: string; name: string }) {
  const client = useClient();
  const paths = usePaths(namespace);
  const pods = useObjects<Pod>(paths.pods);
  const replicaSets = useObjects<ReplicaSet>(paths.replicaSets);
  const { workloads, listed, freshness } = useWorkloads(paths);
  const workload = workloads.find(
    (each) => each.kind === kind && each.metadata.namespace === namespace && each.metadata.name === name,
  );
  if (!workload)
    return listed ? (
      <p class="notice">{`There is no ${kind} ${namespace}/${name}.`}</p>
    ) : (
      <FreshnessLine of={freshness} />
    );
  const path = pathOf(kind, namespace, name);
  const progress = progressOf(workload);
  const own = podsOf(workload, pods, replicaSets);
  const { paused } = workload.spec;
  return (
    <>
      <h1>
        {name} <small>{`${kind} in ${namespace}`}</small> <Badge mood={progress.mood}>{progress.words}</Badge>
      </h1>
      <FreshnessLine of={freshness} />
      <div class="actions">
        {kind !== "DaemonSet" && <Scale replicas={workload.spec.replicas ?? 1} path={path} />}
        <Action label="Restart" run={() => restart(client, path)} />
        {kind === "Deployment" && (
          <>
            <Action
              label={paused ? "Resume" : "Pause"}
              run={() => patch(client, path, { spec: { paused: paused ? null : true } })}
            />
            <Action
              label="Undo"
              question={`Go back to the revision of ${name} before this one?`}
              run={() => undo(client, path, workload, replicaSets)}
            />
          </>
        )}
        <a class="button" href={href("any", "apps", "v1", path.split("/").at(-2) ?? "", namespace, name)}>
          YAML
        </a>
      </div>
      {byRevision(own).map(([revision, members], at) => (
        <section key={revision}>
          <h2>
            {at === 0 ? "Newest revision" : "Revision before"}{" "}
            <small>{`${revision}, ${count(members.length, "pod")}`}</small>
          </h2>
          <PodRows pods={members} />
        </section>
      ))}
      {own.length === 0 && <p class="hint">It has no pods.</p>}
      <History of={{ namespace, workload: `${kind}/${name}` }} />
      <Logs
        sources={own.map((pod) => ({
          namespace,
          pod: pod.metadata.name,
          container: pod.spec.containers[0]?.name ?? "",
        }))}
      />
      <Events namespace={namespace} kind={kind} name={name} />
    </>
  );
}

function Scale({ replicas, path }: { replicas: number; path: string }) {
  const client = useClient();
  const [wanted, setWanted] = useState<number | undefined>(undefined);
  const value = wanted ?? replicas;
  return (
    <>
      <NumberField label="Replicas" least={0} value={value} set={setWanted} />
      <Action
        label="Scale"
        question={value === 0 ? "Scale to zero? It will not answer until it is scaled up." : undefined}
        run={async () => {
          if (!Number.isInteger(value) || value < 0) throw new Error("Say a whole number of replicas.");
          await patch(client, `${path}/scale`, { spec: { replicas: value } });
          setWanted(undefined);
        }}
      />
    </>
  );
}
