import { isOnline, type Problem, problemsOf } from "../../worker/lib/facts/problems.ts";
import type { ToldSeries } from "../api/metric-series.ts";
import type { Claim, Node, Pod, Workload } from "../api/objects.ts";
import { now } from "../effects.ts";
import { isReady, moodOf, statusOf } from "../facts/pods.ts";
import { age, count } from "../facts/words.ts";
import { Plots, RangeChooser, useSeries } from "../parts/history.tsx";
import { Join } from "../parts/join.tsx";
import { Age, Badge, FreshnessLine } from "../parts/parts.tsx";
import { Usage } from "../parts/usage.tsx";
import { NODES, useFreshness, useObjects, usePaths } from "../state/cluster.ts";
import { href } from "../state/route.ts";

export function Overview() {
  const paths = usePaths();
  const nodes = useObjects<Node>(NODES);
  const pods = useObjects<Pod>(paths.pods);
  const deployments = useObjects<Workload>(paths.deployments);
  const claims = useObjects<Claim>(paths.claims);
  const { listed, freshness } = useFreshness([NODES, paths.pods, paths.deployments, paths.claims]);
  const { told, why } = useSeries({ nodes: true });
  const workloads = deployments.map((deployment) => ({ ...deployment, kind: "Deployment" }));
  const problems = problemsOf({ nodes, pods, workloads, claims }, now.value);
  const running = pods.filter(isReady).length;
  return (
    <>
      <h1>Overview</h1>
      <FreshnessLine of={freshness} />
      <section aria-labelledby="wrong">
        <h2 id="wrong">What is wrong now</h2>
        {listed && freshness.state !== "forbidden" && problems.length === 0 && (
          <p class="notice good">Nothing that the cluster knows of.</p>
        )}
        <ul class="problems">
          {problems.map((problem) => (
            <ProblemItem key={`${problem.kind}/${problem.namespace}/${problem.name}`} {...problem} />
          ))}
        </ul>
      </section>
      <section aria-labelledby="places">
        <h2 id="places">
          Nodes{" "}
          <small>{`${count(nodes.filter(isOnline).length, "node")} online of ${nodes.length}; ${count(running, "pod")} ready of ${pods.length}`}</small>
        </h2>
        {told && nodes.length > 0 && <RangeChooser />}
        {why && <p class="notice bad">{`Figures over time cannot be had: ${why}`}</p>}
        <ul class="places">
          {nodes.map((node) => (
            <Place
              key={node.metadata.uid}
              node={node}
              pods={pods.filter(({ spec }) => spec.nodeName === node.metadata.name)}
              told={told}
            />
          ))}
        </ul>
        {nodes.length === 0 && <PodDots pods={pods} label="Pods" />}
        <Join />
      </section>
      <Usage />
    </>
  );
}

function ProblemItem({ severity, kind, namespace, name, cause, remedy }: Problem) {
  const where = kind === "Pod" && namespace ? href("pods", namespace, name) : undefined;
  const title = `${kind} ${namespace ? `${namespace}/` : ""}${name}`;
  return (
    <li class={severity === "error" ? "bad" : "busy"}>
      <strong>{where ? <a href={where}>{title}</a> : title}</strong>
      <p>{cause}</p>
      <p class="remedy">{remedy}</p>
    </li>
  );
}

/** As `office=direct,van=relay`: nodes of its own network are not among them. */
const PATHS = "skerry.dev/paths";
const pathsText = (paths: string) => paths.replaceAll("=", " ").replaceAll(",", ", ");

const SITE = "topology.kubernetes.io/zone";

function Place({ node, pods, told }: { node: Node; pods: readonly Pod[]; told: ToldSeries | undefined }) {
  const { labels = {}, annotations, name } = node.metadata;
  const paths = annotations?.[PATHS];
  const ready = node.status.conditions?.find(({ type }) => type === "Ready");
  const address = node.status.addresses?.find(({ type }) => type === "InternalIP")?.address;
  const info = node.status.nodeInfo;
  return (
    <li class="card">
      <h3>
        {name} {isOnline(node) ? <Badge mood="good">Ready</Badge> : <Badge mood="bad">Offline</Badge>}
        {node.spec.unschedulable && <Badge mood="busy">Cordoned</Badge>}
      </h3>
      <dl>
        {labels[SITE] && <Fact name="Site" value={labels[SITE]} />}
        <Fact name="Address" value={address ?? "none"} />
        {paths && <Fact name="Ways to others" value={pathsText(paths)} />}
        {info && <Fact name="System" value={`${info.osImage}, ${info.architecture}`} />}
        {!isOnline(node) && <Fact name="Offline since" value={`${age(ready?.lastTransitionTime, now.value)} ago`} />}
      </dl>
      <PodDots pods={pods} label={`Pods of ${name}`} />
      {told?.series[name] && <Plots series={told.series[name]} told={told} />}
      <p class="hint">
        {count(pods.length, "pod")}, joined <Age of={node.metadata.creationTimestamp} /> ago
      </p>
    </li>
  );
}

const PodDots = ({ pods, label }: { pods: readonly Pod[]; label: string }) => (
  <ul class="dots" aria-label={label}>
    {pods.map((pod) => (
      <li key={pod.metadata.uid}>
        <a class={`dot ${moodOf(pod)}`} href={href("pods", pod.metadata.namespace ?? "", pod.metadata.name)}>
          <span class="unseen">{`${pod.metadata.namespace}/${pod.metadata.name}: ${statusOf(pod)}`}</span>
        </a>
      </li>
    ))}
  </ul>
);

const Fact = ({ name, value }: { name: string; value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);
