/** The cluster's API, as far as `skerry compose` asks it. */
import type { KubernetesObject } from "../../compose/convert/model.ts";
import { MANAGER } from "../../compose/convert/model.ts";
import { checked, open, openChecked, read, type Server, sendChecked } from "../http.ts";

type Resource = { apiVersion: string; kind: string; plural: string };

/** All kinds that conversion makes. Those whose pods end come first where a project is taken away. */
const RESOURCES: readonly Resource[] = [
  { apiVersion: "apps/v1", kind: "Deployment", plural: "deployments" },
  { apiVersion: "apps/v1", kind: "StatefulSet", plural: "statefulsets" },
  { apiVersion: "apps/v1", kind: "DaemonSet", plural: "daemonsets" },
  { apiVersion: "batch/v1", kind: "Job", plural: "jobs" },
  { apiVersion: "networking.k8s.io/v1", kind: "Ingress", plural: "ingresses" },
  { apiVersion: "v1", kind: "Service", plural: "services" },
  { apiVersion: "v1", kind: "ConfigMap", plural: "configmaps" },
  { apiVersion: "v1", kind: "Secret", plural: "secrets" },
  { apiVersion: "v1", kind: "PersistentVolumeClaim", plural: "persistentvolumeclaims" },
];
const NAMESPACE: Resource = { apiVersion: "v1", kind: "Namespace", plural: "namespaces" };
const APPLY = `fieldManager=${MANAGER}&force=true`;

export type Stored = KubernetesObject & {
  metadata: { resourceVersion: string; generation?: number; deletionTimestamp?: string };
  status?: Record<string, unknown>;
};

export const keyOf = ({ kind, metadata }: KubernetesObject): string => `${kind}/${metadata.name}`;

/** As kubectl writes it: `deployment.apps/web`. */
export function nameOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  const group = apiVersion.includes("/") ? `.${apiVersion.split("/")[0]}` : "";
  return `${kind.toLowerCase()}${group}/${metadata.name}`;
}

export class ProjectApi {
  private readonly server: Server;
  private readonly namespace: string;
  private readonly selector: string;

  constructor(server: Server, namespace: string, selector: string) {
    this.server = server;
    this.namespace = namespace;
    this.selector = selector;
  }

  private path({ apiVersion, kind, metadata }: KubernetesObject, namespace = this.namespace): string {
    const resource = [NAMESPACE, ...RESOURCES].find((one) => one.kind === kind && one.apiVersion === apiVersion);
    if (!resource) throw new Error(`${kind} is not among the kinds of compose`);
    return `${this.collection(resource, namespace)}/${metadata.name}`;
  }

  private collection({ apiVersion, plural }: Resource, namespace: string): string {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    return plural === "namespaces" ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
  }

  async hasNamespace(): Promise<boolean> {
    const answer = await read(await open(this.server, "GET", `/api/v1/namespaces/${this.namespace}`));
    return answer.code !== 404 && checked("GET", "the namespace", answer).code === 200;
  }

  /** All that the project has in the cluster. */
  async stored(): Promise<Stored[]> {
    const found: Stored[] = [];
    for (const resource of RESOURCES) {
      const path = `${this.collection(resource, this.namespace)}?labelSelector=${encodeURIComponent(this.selector)}`;
      const { body } = await sendChecked(this.server, "GET", path);
      const { apiVersion, kind } = resource;
      for (const item of body.items as Stored[]) found.push({ ...item, apiVersion, kind });
    }
    return found;
  }

  async get(object: KubernetesObject): Promise<Stored | undefined> {
    const path = this.path(object);
    const answer = await read(await open(this.server, "GET", path));
    return answer.code === 404 ? undefined : (checked("GET", path, answer).body as Stored);
  }

  /** By server-side apply. `dryRun`: in which namespace it is tried. */
  async apply(object: KubernetesObject, dryRun?: string): Promise<Stored> {
    const wanted = dryRun === undefined ? object : inNamespace(object, dryRun);
    const path = `${this.path(object, dryRun)}?${APPLY}${dryRun === undefined ? "" : "&dryRun=All"}`;
    const bytes = Buffer.from(JSON.stringify(wanted));
    const response = await open(this.server, "PATCH", path, { bytes, type: "application/apply-patch+yaml" });
    const answer = await read(response);
    if (answer.code >= 300) throw new Error(`${nameOf(object)}: ${answer.body.message ?? answer.text.slice(0, 200)}`);
    return answer.body as Stored;
  }

  /** What it made goes with it. One that is gone already is none the worse for it. */
  async remove(object: KubernetesObject): Promise<void> {
    const path = this.path(object);
    const bytes = Buffer.from(JSON.stringify({ propagationPolicy: "Background" }));
    const answer = await read(await open(this.server, "DELETE", path, { bytes }));
    if (answer.code !== 404) checked("DELETE", path, answer);
  }

  async pods(selector = this.selector): Promise<Pod[]> {
    const path = `/api/v1/namespaces/${this.namespace}/pods?labelSelector=${encodeURIComponent(selector)}`;
    return (await sendChecked(this.server, "GET", path)).body.items as Pod[];
  }

  /** What a pod's container has printed, as it comes. */
  async logs(pod: string, container: string, query: string): Promise<AsyncIterable<Uint8Array>> {
    const path = `/api/v1/namespaces/${this.namespace}/pods/${pod}/log?container=${container}&${query}`;
    return openChecked(this.server, "GET", path, { timeoutMs: 0 });
  }
}

const inNamespace = (object: KubernetesObject, namespace: string): KubernetesObject =>
  object.metadata.namespace ? { ...object, metadata: { ...object.metadata, namespace } } : object;

type ContainerState = { waiting?: { reason?: string; message?: string }; terminated?: { exitCode: number } };

/** What is read of a pod. */
export type Pod = {
  metadata: { name: string; labels?: Record<string, string>; creationTimestamp: string; deletionTimestamp?: string };
  spec: { nodeName?: string; containers: { name: string }[] };
  status: {
    phase: string;
    conditions?: { type: string; status: string; message?: string }[];
    containerStatuses?: { ready: boolean; restartCount: number; state?: ContainerState }[];
  };
};

/** Pods carry the two labels that their Services select by. */
export const podSelector = (project: string) => `app.kubernetes.io/part-of=${project},app.kubernetes.io/name`;
