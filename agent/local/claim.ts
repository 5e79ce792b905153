/** A claim, as the commands about volumes name and ask for it. */
import { podClaims } from "../../worker/kinds/core/pod-claims.ts";
import type { CoreV1Pod, CoreV1PodList } from "../../worker/kinds/generated/types.ts";
import type { BackupContext } from "./backup.ts";
import { checked, open, read, type Server, sendChecked } from "./http.ts";
import { type Reach, reach } from "./reach.ts";

const MERGE = "application/merge-patch+json";

export type Claim = { namespace: string; name: string };
export type Target = { server: Server; claim: Claim };

function claimOf(text: string): Claim {
  const [namespace, name, ...rest] = text.split("/");
  if (!namespace || !name || rest.length > 0) throw new Error(`${text} is no NAMESPACE/CLAIM`);
  return { namespace, name };
}

export const target = async ({ home }: BackupContext, claim: string, options: Reach): Promise<Target> => ({
  claim: claimOf(claim),
  server: await reach(home, options),
});

export const claimPath = ({ namespace, name }: Claim) =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/persistentvolumeclaims/${encodeURIComponent(name)}`;
export const inWords = ({ namespace, name }: Claim) => `${namespace}/${name}`;

export const get = async <T>(server: Server, path: string) =>
  (await sendChecked(server, "GET", path)).body as unknown as T;

export async function patch(server: Server, path: string, body: object): Promise<void> {
  const sending = { bytes: Buffer.from(JSON.stringify(body)), type: MERGE };
  checked("PATCH", path, await read(await open(server, "PATCH", path, sending)));
}

export const nameOf = ({ metadata }: CoreV1Pod) => metadata.name ?? "";

/** Pods of some node that have the claim, or may get it. */
export async function usersOf(server: Server, { namespace, name }: Claim): Promise<CoreV1Pod[]> {
  const list = await get<CoreV1PodList>(server, `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`);
  return (list.items as CoreV1Pod[]).filter(
    (pod) =>
      pod.spec.nodeName &&
      !["Succeeded", "Failed"].includes(pod.status?.phase ?? "") &&
      podClaims(pod).some(({ claim }) => claim === name),
  );
}
