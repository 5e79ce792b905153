/** `skerry upgrade`: gives the cluster this program's agent, and has the nodes' agents become it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  agentVersionOf,
  FAILED_VERSION,
  partName,
  ROLLOUT,
  ROLLOUT_NAMESPACE,
  releaseName,
  WANTED_SINCE,
  WANTED_VERSION,
} from "../../worker/lib/agent-rollout.ts";
import { packageRoot } from "../local/bundle.ts";
import type { Printed } from "../local/command-options.ts";
import type { Home } from "../local/home.ts";
import { checked, open, read, type Server, send, sendChecked } from "../local/http.ts";
import type { Progress } from "../local/install.ts";
import { type Reach, reach } from "../local/reach.ts";
import { printJson } from "../local/terminal.ts";
import { VERSION } from "../version.ts";
import { sha256Of } from "./archive.ts";

/** What a ConfigMap holds is bounded to 1 MiB, and becomes a third longer on the wire. */
const PART_BYTES = 700 * 1024;

type NodeJson = {
  metadata: { name: string; annotations?: Record<string, string> };
  status?: { nodeInfo?: { kubeletVersion?: string }; conditions?: { type: string; status: string }[] };
};

export type UpgradeOptions = Reach & { percent: number; timeout: number };

export async function upgrade(home: Home, options: UpgradeOptions, progress: Progress): Promise<void> {
  const server = await reach(home, options);
  await publish(server, { version: VERSION, archive: await ownArchive(), timeout: options.timeout }, progress);
  await want(server, { version: VERSION, ...options });
  progress(`the agents become ${VERSION}, one first, then ${options.percent}% at a time: skerry upgrade status`);
}

/** This program's agent: as it was built with it, or from the sources. */
async function ownArchive(): Promise<Uint8Array> {
  const root = packageRoot();
  const built = join(root, "dist/agent.tgz");
  if (import.meta.filename.endsWith(".js") && existsSync(built)) return readFileSync(built);
  return (await import("./build.ts")).buildAgent(root);
}

export type Release = { version: string; archive: Uint8Array; timeout: number };

/** Puts an agent where nodes can get it. */
export async function publish(
  server: Server,
  { version, archive, timeout }: Release,
  progress: Progress,
): Promise<void> {
  for (const object of access()) await apply(server, object.path, object.body);
  const parts = Math.ceil(archive.length / PART_BYTES);
  for (let part = 0; part < parts; part++) {
    const bytes = Buffer.from(archive.subarray(part * PART_BYTES, (part + 1) * PART_BYTES));
    await configMap(server, partName(version, part), { binaryData: { part: bytes.toString("base64") } });
  }
  const data = {
    sha256: sha256Of(archive),
    parts: String(parts),
    trialSeconds: String(Math.max(1, Math.floor(timeout / 2))),
  };
  await configMap(server, releaseName(version), { data });
  progress(`the cluster has version ${version} of the agent (${Math.ceil(archive.length / 1024)} KiB)`);
}

/** Every node may read what is in that namespace; it holds no secret. */
function access(): { path: string; body: object }[] {
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${ROLLOUT_NAMESPACE}`;
  const name = "agent-releases";
  const api = "rbac.authorization.k8s.io";
  return [
    {
      path: `/api/v1/namespaces/${ROLLOUT_NAMESPACE}`,
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name: ROLLOUT_NAMESPACE } },
    },
    {
      path: `${rbac}/roles/${name}`,
      body: {
        apiVersion: `${api}/v1`,
        kind: "Role",
        metadata: { name },
        rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get"] }],
      },
    },
    {
      path: `${rbac}/rolebindings/${name}`,
      body: {
        apiVersion: `${api}/v1`,
        kind: "RoleBinding",
        metadata: { name },
        roleRef: { apiGroup: api, kind: "Role", name },
        subjects: [{ apiGroup: api, kind: "Group", name: "system:nodes" }],
      },
    },
  ];
}

const maps = `/api/v1/namespaces/${ROLLOUT_NAMESPACE}/configmaps`;

const configMap = (server: Server, name: string, content: object) =>
  apply(server, `${maps}/${name}`, { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, ...content });

/** Server-side apply: what is there already stays as it is. */
async function apply(server: Server, path: string, body: object): Promise<void> {
  await patch(server, `${path}?fieldManager=skerry-upgrade&force=true`, "application/apply-patch+yaml", body);
}

async function patch(server: Server, path: string, type: string, body: object): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(body));
  checked("PATCH", path, await read(await open(server, "PATCH", path, { bytes, type })));
}

/** From now on nodes are told. What became of an earlier try is forgotten. */
export async function want(
  server: Server,
  options: { version: string; percent: number; timeout: number },
): Promise<void> {
  await forget(server);
  const { version, percent, timeout } = options;
  await configMap(server, ROLLOUT, {
    data: { version, percent: String(percent), timeoutSeconds: String(timeout), paused: "false" },
  });
}

async function forget(server: Server): Promise<void> {
  const annotations = { [WANTED_VERSION]: null, [WANTED_SINCE]: null, [FAILED_VERSION]: null };
  for (const { metadata } of await nodesOf(server)) {
    const has = Object.keys(annotations).some((name) => metadata.annotations?.[name] !== undefined);
    if (!has) continue;
    const path = `/api/v1/nodes/${metadata.name}`;
    await patch(server, path, "application/merge-patch+json", { metadata: { annotations } });
  }
}

async function nodesOf(server: Server): Promise<NodeJson[]> {
  const { body } = await sendChecked(server, "GET", "/api/v1/nodes");
  return body.items as NodeJson[];
}

export async function status(home: Home, options: Reach & Printed): Promise<void> {
  const server = await reach(home, options);
  const path = `${maps}/${ROLLOUT}`;
  const answer = await send(server, "GET", path);
  const isWanted = answer.code !== 404 && checked("GET", path, answer).code === 200;
  const { version, state = "", message = "" } = (answer.body.data ?? {}) as Record<string, string>;
  const nodes = (await nodesOf(server)).map(standing);
  if (options.json) return printJson({ ...(isWanted && { rollout: { version, state, message } }), nodes });
  process.stdout.write(isWanted ? `${version}\t${state}\t${message}\n` : "no version is wanted\n");
  for (const { name, version = "unknown", ready, failed, becomes } of nodes) {
    const words = [name, version, ready ? "Ready" : "NotReady", failed ?? (becomes ? `becomes ${becomes}` : "")];
    process.stdout.write(`${words.join("\t").trimEnd()}\n`);
  }
}

/** `failed`: `VERSION: WHY` of what it came back from; `becomes`: what it was told, while that is awaited. */
function standing({ metadata: { name, annotations = {} }, status: node }: NodeJson) {
  return {
    name,
    version: agentVersionOf(node?.nodeInfo?.kubeletVersion),
    ready: node?.conditions?.find(({ type }) => type === "Ready")?.status === "True",
    failed: annotations[FAILED_VERSION],
    becomes: annotations[WANTED_SINCE] && annotations[WANTED_VERSION],
  };
}

const setPaused = async (home: Home, options: Reach, paused: boolean) => {
  const server = await reach(home, options);
  await patch(server, `${maps}/${ROLLOUT}`, "application/merge-patch+json", { data: { paused: String(paused) } });
  return server;
};

export const pause = async (home: Home, options: Reach): Promise<void> => void (await setPaused(home, options, true));

export async function resume(home: Home, options: Reach): Promise<void> {
  await forget(await reach(home, options));
  await setPaused(home, options, false);
}
