/**
 * Static pods: what a machine runs because a file on it says so, whatever the cluster says.
 * https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
 */
import { createHash } from "node:crypto";
import { parse } from "yaml";
import { podReferences } from "../../worker/kinds/core/pod-references.ts";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { Annotation } from "./annotations.ts";

export type ManifestPlace = { path: string; node: string /** When it was first seen, as a timestamp. */; seen: string };

/** The pod that a file asks for. Rejects, in the kubelet's words, for one that makes no sense. */
export async function readManifest(text: string, { path, node, seen }: ManifestPlace): Promise<CoreV1Pod> {
  const given = parse(text) as Partial<CoreV1Pod> | null;
  if (typeof given !== "object" || given?.kind !== "Pod" || given.apiVersion !== "v1" || !given.spec)
    throw new Error(`${path}: couldn't parse as pod(invalid pod), please check config file`);
  if (!given.metadata?.name) throw new Error("invalid pod: name is needed for the pod");
  const hash = createHash("sha256").update(JSON.stringify(given)).update(`host:${node}file:${path}`).digest("hex");
  const uid = given.metadata.uid ?? hash.slice(0, 32);
  const { name, namespace = "default", labels, annotations } = given.metadata;
  const pod: CoreV1Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${name}-${node.toLowerCase()}`,
      namespace,
      uid,
      ...(labels && { labels }),
      annotations: {
        ...annotations,
        [Annotation.hash]: uid,
        [Annotation.seen]: seen,
        [Annotation.source]: "file",
      },
    },
    spec: { ...given.spec, nodeName: node, tolerations: tolerations(given.spec) },
  };
  await check(pod);
  return pod;
}

/** It is not evicted for what is wrong with its node. */
function tolerations({ tolerations = [] }: CoreV1Pod["spec"]) {
  const all = { operator: "Exists", effect: "NoExecute" };
  const isThere = tolerations.some(
    ({ key, operator, effect }) => !key && operator === "Exists" && effect === all.effect,
  );
  return isThere ? tolerations : [...tolerations, all];
}

/** Only who has static pods loads what is known of the API's kinds. */
async function check(pod: CoreV1Pod): Promise<void> {
  const { Pod } = await import("../../worker/kinds/core/pod.ts");
  Pod.default(pod);
  const problems = [...Pod.validate(pod), ...Pod.validateCreate(pod)];
  if (problems.length)
    throw new Error(`invalid pod: ${problems.map(({ field, message }) => `${field}: ${message}`).join(", ")}`);
  const found = Object.entries(podReferences(pod)).find(([, names]) => names.size > 0)?.[0] ?? unusable(pod);
  if (found) throw new Error(`static pods may not reference ${found}`);
}

function unusable({ spec }: CoreV1Pod): string | undefined {
  if (spec.resourceClaims?.length) return "resourceclaims";
  for (const { csi, ephemeral, projected } of spec.volumes ?? []) {
    if (csi) return "csidrivers (via CSI volumes)";
    if (ephemeral) return "persistentvolumeclaims (via ephemeral volumes)";
    for (const source of projected?.sources ?? []) {
      if (source.serviceAccountToken) return "serviceaccounts (via projected volumes)";
      if (source.clusterTrustBundle) return "clustertrustbundles";
    }
  }
  return undefined;
}
