/** What a driver's CSIDriver object says of how it is to be used. https://kubernetes-csi.github.io/docs/csi-driver-object.html */
import type { CoreV1Pod, CoreV1Secret, StorageV1CSIDriver } from "../../worker/kinds/generated/types.ts";
import type { Api } from "../volumes/tokens.ts";
import type { TokenRequest } from "../volumes/volume.ts";
import type { CsiVolume, SecretRef } from "./volumes.ts";

export type DriverObject = StorageV1CSIDriver["spec"];

/** Undefined where the driver has none, which is allowed. */
export async function driverObject(api: Api, name: string): Promise<DriverObject | undefined> {
  const { code, body } = await api("GET", `/apis/storage.k8s.io/v1/csidrivers/${encodeURIComponent(name)}`);
  if (code === 404) return undefined;
  if (code >= 300) throw new Error((body as { message?: string } | null)?.message ?? `code ${code}`);
  return (body as unknown as StorageV1CSIDriver).spec;
}

/** What a driver that asks for it hears of the pod. */
export function podInfo(
  about: DriverObject | undefined,
  { metadata, spec }: CoreV1Pod,
  lifecycle: CsiVolume["lifecycle"],
): Record<string, string> {
  if (!about?.podInfoOnMount) return {};
  return {
    "csi.storage.k8s.io/pod.name": metadata.name ?? "",
    "csi.storage.k8s.io/pod.namespace": metadata.namespace ?? "",
    "csi.storage.k8s.io/pod.uid": metadata.uid ?? "",
    "csi.storage.k8s.io/serviceAccount.name": spec.serviceAccountName ?? "",
    "csi.storage.k8s.io/ephemeral": `${lifecycle === "Ephemeral"}`,
  };
}

const DEFAULT_EXPIRATION_SECONDS = 3600;

/** Tokens of the pod's account, for whom the driver says. */
export async function tokensOf(
  about: DriverObject | undefined,
  token: (request: TokenRequest) => Promise<string>,
): Promise<Record<string, string>> {
  const { tokenRequests = [] } = about ?? {};
  if (tokenRequests.length === 0) return {};
  const outputs: Record<string, { token: string; expirationTimestamp: string }> = {};
  for (const { audience, expirationSeconds = DEFAULT_EXPIRATION_SECONDS } of tokenRequests) {
    const text = await token({ audience: audience || undefined, expirationSeconds });
    outputs[audience] = { token: text, expirationTimestamp: expiryOf(text) };
  }
  return { "csi.storage.k8s.io/serviceAccount.tokens": JSON.stringify(outputs) };
}

function expiryOf(token: string): string {
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { exp: number };
  return new Date(claims.exp * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}

/** `what` is the field that names the secret. */
export async function secretOf(api: Api, ref: SecretRef | undefined, what: string): Promise<Record<string, string>> {
  if (!ref) return {};
  const path = `/api/v1/namespaces/${encodeURIComponent(ref.namespace)}/secrets/${encodeURIComponent(ref.name)}`;
  const { code, body } = await api("GET", path);
  const problem = (body as { message?: string } | null)?.message ?? `code ${code}`;
  if (code >= 300) throw new Error(`fetching ${what} ${ref.namespace}/${ref.name} failed: ${problem}`);
  const { data = {} } = body as unknown as CoreV1Secret;
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, "base64").toString()]));
}

/**
 * The group that the node gives the volume to, if any.
 * https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#delegating-volume-permission-and-ownership-change-to-csi-driver
 */
export function fsGroupOf(
  { fsType, accessModes, isBlock, readOnly }: CsiVolume,
  { spec }: CoreV1Pod,
  about: DriverObject | undefined,
): number | undefined {
  const group = spec.securityContext?.fsGroup;
  const policy = about?.fsGroupPolicy ?? "ReadWriteOnceWithFSType";
  if (group === undefined || isBlock || policy === "None") return undefined;
  if (policy === "File") return group;
  return fsType !== "" && accessModes.includes("ReadWriteOnce") && !readOnly ? group : undefined;
}
