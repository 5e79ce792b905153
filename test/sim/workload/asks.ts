/** Deeds that ask for one object, or for one collection, to be made, changed or removed. */
import type { KubeObject } from "../../../worker/lib/object.ts";
import { between, pick, type Random, weighted } from "../world/random.ts";
import type { Template } from "./objects.ts";
import type { Deed } from "./script.ts";

type Place = { namespace: string; template: Template };
export type Make = (random: Random, place: Place, client: number, nodes: number) => Deed;

export const collection = ({ namespace, template: { api, plural } }: Place) =>
  `${api}/namespaces/${namespace}/${plural}`;
const object = (place: Place) => `${collection(place)}/${place.template.name}`;

const PATCHES = ["application/merge-patch+json", "application/strategic-merge-patch+json"] as const;
const IS_SCALED = new Set(["deployments", "statefulsets", "replicasets"]);

export const create: Make = (random, place, client) => ({
  do: "ask",
  client,
  sent: { method: "POST", path: collection(place), body: place.template.make(random, place.template.name) },
});

export const apply: Make = (random, place, client) => {
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
  networkpolicies: "NetworkPolicy",
  horizontalpodautoscalers: "HorizontalPodAutoscaler",
  pods: "Pod",
  configmaps: "ConfigMap",
  secrets: "Secret",
  persistentvolumeclaims: "PersistentVolumeClaim",
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
    case "horizontalpodautoscalers":
      return pick(random, [label, { spec: { minReplicas: between(random, 1, 3) } }]);
    case "configmaps":
      return { data: { key: String(between(random, 0, 99)) } };
    case "services":
      return pick(random, [label, { spec: { selector: { app: pick(random, ["web-0", "web-1"]) } } }]);
    default:
      return label;
  }
}

export const patch: Make = (random, place, client) => ({
  do: "ask",
  client,
  sent: {
    method: "PATCH",
    path: object(place),
    body: changeOf(random, place.template),
    contentType: pick(random, PATCHES),
  },
});

export const edit: Make = (random, place, client) => ({
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

export const scale = patchReplicas("scale", "spec", 3);

export const remove: Make = (random, place, client) => ({
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

export const sweep: Make = (random, place, client) => ({
  do: "ask",
  client,
  sent: {
    method: "DELETE",
    path: `${collection(place)}${random() < 0.5 ? "?labelSelector=changed%3D1" : ""}`,
  },
});

/** What somebody else's status says is put right by whoever owns it. */
export const status = patchReplicas("status", "status", 9);

export const generate: Make = (random, place, client) => ({
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

/** What the API must refuse. */
export const nonsense: Make = (random, place, client) => ({
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
