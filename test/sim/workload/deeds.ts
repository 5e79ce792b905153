import type { KubeObject } from "../../../worker/lib/object.ts";
import { between, pick, type Random, weighted } from "../world/random.ts";
import { NAMESPACES, STEADY_TEMPLATES, type Template, UNSTEADY, UNSTEADY_TEMPLATES } from "./objects.ts";
import { CLIENTS, type Deed } from "./script.ts";

type Place = { namespace: string; template: Template };
type Make = (random: Random, place: Place, client: number, nodes: number) => Deed;

const collection = ({ namespace, template: { api, plural } }: Place) => `${api}/namespaces/${namespace}/${plural}`;
const object = (place: Place) => `${collection(place)}/${place.template.name}`;

const PATCHES = ["application/merge-patch+json", "application/strategic-merge-patch+json"] as const;
const IS_SCALED = new Set(["deployments", "statefulsets", "replicasets"]);

const create: Make = (random, place, client) => ({
  do: "ask",
  client,
  sent: { method: "POST", path: collection(place), body: place.template.make(random, place.template.name) },
});

const apply: Make = (random, place, client) => {
  const { api, plural, name, make } = place.template;
  const body = { apiVersion: api.replace(/^\/apis?\//, ""), kind: KINDS[plural], ...make(random, name) };
  const query = `fieldManager=client-${client}${random() < 0.8 ? "&force=true" : ""}`;
  return {
    do: "ask",
    client,
    sent: { method: "PATCH", path: `${object(place)}?${query}`, body, contentType: "application/apply-patch+yaml" },
  };
};

const KINDS: Readonly<Record<string, string>> = {
  deployments: "Deployment",
  statefulsets: "StatefulSet",
  daemonsets: "DaemonSet",
  jobs: "Job",
  cronjobs: "CronJob",
  services: "Service",
  poddisruptionbudgets: "PodDisruptionBudget",
  pods: "Pod",
  configmaps: "ConfigMap",
  secrets: "Secret",
  resourcequotas: "ResourceQuota",
};

/** A change that makes sense for the kind, as a merge. */
function changeOf(random: Random, { plural }: Template): object {
  const label = { metadata: { labels: { changed: String(between(random, 0, 3)) } } };
  switch (plural) {
    case "deployments":
    case "statefulsets":
    case "daemonsets":
      return weighted<object>(random, [
        [2, label],
        [4, { spec: { template: { metadata: { annotations: { rollout: String(between(random, 0, 99)) } } } } }],
        ...(plural === "daemonsets"
          ? []
          : ([[3, { spec: { replicas: between(random, 0, 3) } }]] as [number, object][])),
        ...(plural === "deployments" ? ([[1, { spec: { paused: random() < 0.3 } }]] as [number, object][]) : []),
      ]);
    case "jobs":
      return pick(random, [
        label,
        { spec: { suspend: random() < 0.4 } },
        { spec: { parallelism: between(random, 0, 3) } },
      ]);
    case "cronjobs":
      return pick(random, [label, { spec: { suspend: random() < 0.5 } }]);
    case "configmaps":
      return { data: { key: String(between(random, 0, 99)) } };
    case "services":
      return pick(random, [label, { spec: { selector: { app: pick(random, ["web-0", "web-1"]) } } }]);
    default:
      return label;
  }
}

const patch: Make = (random, place, client) => ({
  do: "ask",
  client,
  sent: {
    method: "PATCH",
    path: object(place),
    body: changeOf(random, place.template),
    contentType: pick(random, PATCHES),
  },
});

const edit: Make = (random, place, client) => ({
  do: "edit",
  client,
  path: object(place),
  change: changeOf(random, place.template),
  ms: pick(random, [0, 1_000, 30_000]),
});

/** A patch of `replicas` through a subresource, where the kind has any. */
const patchReplicas =
  (subresource: "scale" | "status", field: "spec" | "status", most: number): Make =>
  (random, place, client, nodes) =>
    IS_SCALED.has(place.template.plural)
      ? {
          do: "ask",
          client,
          sent: {
            method: "PATCH",
            path: `${object(place)}/${subresource}`,
            body: { [field]: { replicas: between(random, 0, most) } },
            contentType: PATCHES[0],
          },
        }
      : patch(random, place, client, nodes);

const scale = patchReplicas("scale", "spec", 3);

const remove: Make = (random, place, client) => ({
  do: "ask",
  client,
  sent: {
    method: "DELETE",
    path: object(place),
    ...(random() < 0.8 && {
      body: {
        apiVersion: "v1",
        kind: "DeleteOptions",
        ...pick(random, [
          {},
          { propagationPolicy: "Background" },
          { propagationPolicy: "Foreground" },
          { propagationPolicy: "Orphan" },
          { gracePeriodSeconds: between(random, 0, 5) },
        ]),
      },
    }),
  },
});

const sweep: Make = (random, place, client) => ({
  do: "ask",
  client,
  sent: {
    method: "DELETE",
    path: `${collection(place)}${random() < 0.5 ? "?labelSelector=changed%3D1" : ""}`,
  },
});

/** What somebody else's status says is put right by whoever owns it. */
const status = patchReplicas("status", "status", 9);

const dropNamespace: Make = (random, _, client) => ({
  do: "ask",
  client,
  sent: { method: "DELETE", path: `/api/v1/namespaces/${pick(random, NAMESPACES.slice(1))}` },
});

const makeNamespace: Make = (random, _, client) => ({
  do: "ask",
  client,
  sent: { method: "POST", path: "/api/v1/namespaces", body: { metadata: { name: pick(random, NAMESPACES.slice(1)) } } },
});

const evict: Make = (random, { namespace }, client) => ({
  do: "evict",
  client,
  namespace,
  nth: between(random, 0, 9),
  count: pick(random, [1, 3, 9]),
});
const kill: Make = (random, { namespace }, client) => ({
  do: "kill",
  client,
  namespace,
  nth: between(random, 0, 9),
  ...pick(random, [{}, {}, { grace: 1 }, { grace: 0 }]),
});
const bind: Make = (random, { namespace }, client, nodes) => ({
  do: "bind",
  client,
  namespace,
  nth: between(random, 0, 9),
  node: between(random, 0, nodes - 1),
});
const hold: Make = (random, { namespace }, client) => ({
  do: "hold",
  client,
  namespace,
  ms: between(random, 0, 100_000),
});
const own: Make = (random, { namespace }, client) => {
  const home = `namespaces/${namespace}`;
  const all = [
    `/apis/apps/v1/${home}/deployments/web-0`,
    `/apis/apps/v1/${home}/deployments/web-1`,
    `/api/v1/${home}/configmaps/config-0`,
    `/api/v1/${home}/configmaps/config-1`,
  ];
  const owners = all.filter(() => random() < 0.5);
  const propagationPolicy = pick(random, ["Background", "Foreground", "Orphan"]);
  return {
    do: "own",
    client,
    namespace,
    name: `owned-${between(random, 0, 2)}`,
    owners: owners.length > 0 ? owners : all,
    ...(random() < 0.5 && { ends: { ms: between(random, 0, 30_000), propagationPolicy } }),
  };
};
const drain: Make = (random, _, client, nodes) => ({ do: "drain", client, node: between(random, 0, nodes - 1) });
const uncordon: Make = (random, _, client, nodes) => ({ do: "uncordon", client, node: between(random, 0, nodes - 1) });

const taint: Make = (random, _, client, nodes) => ({
  do: "taint",
  client,
  node: between(random, 0, nodes - 1),
  effect: pick(random, ["NoSchedule", "NoExecute", undefined]),
});
const forgetNode: Make = (random, _, client, nodes) => ({
  do: "forget-node",
  client,
  node: between(random, 0, nodes - 1),
});

const generate: Make = (random, place, client) => ({
  do: "ask",
  client,
  sent: {
    method: "POST",
    path: collection(place),
    body: withoutName(place.template.make(random, place.template.name)),
  },
});

const withoutName = (made: KubeObject): object => {
  const { name, ...metadata } = made.metadata ?? {};
  return { ...made, metadata: { ...metadata, generateName: `${name}-` } };
};

const pages: Make = (random, place, client) => ({
  do: "pages",
  client,
  path: random() < 0.5 ? collection(place) : `${place.template.api}/${place.template.plural}`,
  limit: between(random, 1, 5),
  between: pick(random, [0, 100, 20_000]),
});

const watch: Make = (random, place, client) => {
  const { api, plural } = place.template;
  const group = api.split("/").at(-2);
  const isWhole = random() < 0.5;
  return {
    do: "watch",
    client,
    path: isWhole ? `${api}/${plural}` : collection(place),
    resource: api === "/api/v1" ? plural : `${plural}.${group}`,
    ...(!isWhole && { namespace: place.namespace }),
    ...(random() < 0.3 && { selector: "changed=1" }),
    ...patience(random),
  };
};

const patience = (random: Random) => ({
  seconds: pick(random, [10, 60, 600]),
  away: pick(random, [0, 1_000, 20_000]),
});

/** Pods change most, and enter and leave selections as they go. */
const watchPods: Make = (random, { namespace }, client) => ({
  do: "watch",
  client,
  resource: "pods",
  ...pick(random, [{ path: "/api/v1/pods" }, { path: `/api/v1/namespaces/${namespace}/pods`, namespace }]),
  ...pick(random, [
    {},
    { fields: "status.phase=Pending" },
    { fields: "spec.nodeName=node-0" },
    { fields: "spec.nodeName=" },
    { selector: "app=web-0" },
  ]),
  ...patience(random),
});

/** What the API must refuse. */
const nonsense: Make = (random, place, client) => ({
  do: "ask",
  client,
  sent: pick(random, [
    { method: "POST", path: collection(place), body: { metadata: { name: "Not A Name" } } },
    { method: "POST", path: collection(place), body: "{" },
    { method: "POST", path: collection({ ...place, namespace: "nowhere" }), body: place.template.make(random, "x") },
    {
      method: "PATCH",
      path: object(place),
      body: [{ op: "replace", path: "/spec/nothing", value: 1 }],
      contentType: "application/json-patch+json",
    },
    {
      method: "PATCH",
      path: object(place),
      body: { spec: { selector: { matchLabels: { other: "app" } } } },
      contentType: PATCHES[0],
    },
    { method: "POST", path: `${collection(place)}?dryRun=All`, body: place.template.make(random, place.template.name) },
    {
      method: "POST",
      path: `${collection(place)}?fieldValidation=Strict`,
      body: { ...place.template.make(random, "strict"), unknown: 1 },
    },
  ]),
});

const DEEDS: readonly (readonly [number, Make])[] = [
  [8, create],
  [8, apply],
  [6, patch],
  [4, edit],
  [5, scale],
  [4, remove],
  [1, sweep],
  [1, status],
  [1, dropNamespace],
  [3, makeNamespace],
  [3, evict],
  [3, kill],
  [1, bind],
  [2, hold],
  [5, own],
  [2, drain],
  [2, uncordon],
  [1, taint],
  [0.5, forgetNode],
  [0.5, generate],
  [2, pages],
  [4, watch],
  [3, watchPods],
  [2, nonsense],
];

/** `progress` is how much of the hurting time has passed: first things are made. */
export function deed(random: Random, nodes: number): (progress: number) => Deed {
  let begun = 0;
  return (progress) => {
    const client = between(random, 0, CLIENTS - 1);
    const isUnsteady = random() < 0.07;
    const namespace = isUnsteady ? UNSTEADY : pick(random, NAMESPACES);
    const template = weighted(random, isUnsteady ? UNSTEADY_TEMPLATES : STEADY_TEMPLATES);
    const isFirst = begun++ < 12 && progress < 0.5;
    const make = isFirst ? pick(random, [create, apply]) : weighted(random, DEEDS);
    return make(random, { namespace, template }, client, nodes);
  };
}
