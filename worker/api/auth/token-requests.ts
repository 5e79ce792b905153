/**
 * ServiceAccount tokens, bound to what uses them.
 * https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
 */
import type {
  CoreV1PersistentVolume,
  CoreV1PersistentVolumeClaim,
  CoreV1Pod,
  StorageV1CSIDriver,
} from "../../kinds/generated/types.ts";
import { timestamp } from "../../lib/effects.ts";
import type { KubeObject, ObjectMeta } from "../../lib/object.ts";
import { badRequest, conflict, type FieldError, forbidden, invalid, invalidValue, notFound } from "../../lib/status.ts";
import type { Reader, StoredObject } from "../../storage/store.ts";
import { nodeOf } from "./node-authorizer.ts";
import { type Claims, ISSUER } from "./signing-key.ts";
import type { Context, Question, Virtual } from "./virtual.ts";

const TOKEN_REQUEST = { group: "authentication.k8s.io", kind: "TokenRequest" };
const DEFAULT_SECONDS = 3600;
/**
 * What kubelets ask for a pod's default token: it lasts a year, and is to be warned about after this time, so that
 * programs which read it once go on.
 */
const WARN_ONLY_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 3600;
const LEAST_SECONDS = 600;
const MOST_SECONDS = 2 ** 32;

type BoundObject = { kind?: string; apiVersion?: string; name?: string; uid?: string };
type Spec = { audiences?: string[] | null; expirationSeconds?: number | null; boundObjectRef?: BoundObject | null };
type Bound = Pick<Claims["kubernetes.io"], "pod" | "secret" | "node">;

function* problems(seconds: number): Iterable<FieldError> {
  if (seconds < LEAST_SECONDS)
    yield invalidValue("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes");
  if (seconds > MOST_SECONDS)
    yield invalidValue("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds");
}

function find(reader: Reader, resource: string, namespace: string, ref: BoundObject): StoredObject {
  const subject = { group: "", resource, name: ref.name ?? "" };
  const stored = reader.get({ resource, namespace, name: subject.name });
  if (!stored) throw notFound(subject);
  return stored;
}

function checkUid(ref: BoundObject, { uid, name }: StoredObject): void {
  if (ref.uid && ref.uid !== uid) throw conflict({ group: "", resource: ref.kind ?? "", name }, otherUid(ref));
}

const otherUid = ({ uid }: BoundObject) =>
  `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;

const named = ({ name, uid }: StoredObject) => ({ name, uid });

function boundPod(reader: Reader, namespace: string, account: string, ref: BoundObject): Bound {
  const stored = find(reader, "pods", namespace, ref);
  const { spec = {} } = JSON.parse(stored.json) as { spec?: { serviceAccountName?: string; nodeName?: string } };
  if (spec.serviceAccountName !== account)
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
    );
  checkUid(ref, stored);
  if (!spec.nodeName) return { pod: named(stored) };
  const uid = reader.get({ resource: "nodes", namespace: "", name: spec.nodeName })?.uid;
  return { pod: named(stored), node: { name: spec.nodeName, ...(uid && { uid }) } };
}

function bound(reader: Reader, namespace: string, account: string, ref: BoundObject | null | undefined): Bound {
  if (!ref) return {};
  const { kind = "", apiVersion = "" } = ref;
  const [group = "", version = ""] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  if (group === "" && kind === "Pod") return boundPod(reader, namespace, account, ref);
  const other = group === "" ? OTHERS[kind] : undefined;
  if (!other) throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  const stored = find(reader, other.resource, other.namespaced ? namespace : "", ref);
  checkUid(ref, stored);
  return { [other.claim]: named(stored) };
}

const OTHERS: Readonly<Record<string, { claim: "secret" | "node"; resource: string; namespaced: boolean }>> = {
  Secret: { claim: "secret", resource: "secrets", namespaced: true },
  Node: { claim: "node", resource: "nodes", namespaced: false },
};

/** The body may say whose token it asks for, and must then say it right. */
function checkMetadata(metadata: ObjectMeta = {}, { name, uid }: StoredObject): void {
  if (metadata.name && metadata.name !== name)
    throw invalid({ ...TOKEN_REQUEST, name }, [
      invalidValue("metadata.name", metadata.name, "must match the service account name if specified"),
    ]);
  if (metadata.uid && metadata.uid !== uid)
    throw conflict(
      { group: TOKEN_REQUEST.group, resource: TOKEN_REQUEST.kind, name },
      `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${uid})`,
    );
}

/** A node gets tokens for the pods that run on it and for audiences that these name, and for nothing else. */
function checkNode({ store, authorizer }: Context, { user, namespace, name }: Question, spec: Spec): void {
  const own = nodeOf(user);
  if (own === undefined) return;
  const refused = (why: string) => forbidden({ group: "", resource: "serviceaccounts", name }, why);
  const ref = spec.boundObjectRef;
  if (ref?.apiVersion !== "v1" || ref.kind !== "Pod" || !ref.name)
    throw refused("node requested token not bound to a pod");
  if (!ref.uid) throw refused("node requested token with a pod binding without a uid");
  const stored = store.get({ resource: "pods", namespace, name: ref.name });
  if (!stored) throw notFound({ group: "", resource: "pod", name: ref.name });
  if (stored.uid !== ref.uid) throw refused(otherUid(ref));
  const pod = JSON.parse(stored.json) as CoreV1Pod;
  if (pod.spec?.nodeName !== own) throw refused("node requested token bound to a pod scheduled on a different node");
  const audiences = spec.audiences ?? [];
  if (audiences.length > 1) throw refused("node may only request 0 or 1 audiences");
  const audience = audiences[0] ?? "";
  if (audiencesOf(store, pod).includes(audience)) return;
  const verb = "request-serviceaccounts-token-audience";
  const place = { group: "", version: "v1", resource: audience, subresource: "", namespace, name };
  if (authorizer(user, { type: "resource", verb, ...place }).allowed) return;
  throw refused(
    `audience ${JSON.stringify(audience)} not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`,
  );
}

/** Whom tokens are for that a pod's volumes ask for, themselves or through the driver that mounts them. */
function audiencesOf(reader: Reader, { metadata, spec }: CoreV1Pod): string[] {
  const read = <T>(resource: string, namespace: string, name: string | undefined): T | undefined => {
    const stored = name && reader.get({ resource, namespace, name });
    return stored ? (JSON.parse(stored.json) as T) : undefined;
  };
  const driverOf = (claim: string): string | undefined => {
    const volume = read<CoreV1PersistentVolumeClaim>("persistentvolumeclaims", metadata?.namespace ?? "", claim)?.spec
      ?.volumeName;
    return read<CoreV1PersistentVolume>("persistentvolumes", "", volume)?.spec?.csi?.driver;
  };
  return (spec?.volumes ?? []).flatMap(({ name, projected, csi, persistentVolumeClaim, ephemeral }) => {
    const own = (projected?.sources ?? []).flatMap(({ serviceAccountToken }) =>
      serviceAccountToken ? [serviceAccountToken.audience ?? ""] : [],
    );
    const claim = persistentVolumeClaim?.claimName ?? (ephemeral && `${metadata?.name}-${name}`);
    const driver = csi?.driver ?? (claim && driverOf(claim));
    const asked = read<StorageV1CSIDriver>("csidrivers.storage.k8s.io", "", driver || undefined)?.spec?.tokenRequests;
    return [...own, ...(asked ?? []).map((request) => request.audience)];
  });
}

/** What a request leaves open. */
export function completeTokenRequest(request: KubeObject & { spec?: Spec }): void {
  request.spec ??= {};
  request.spec.expirationSeconds ??= DEFAULT_SECONDS;
}

export const tokenRequest: Virtual = (context, question) => {
  const { store, effects, key } = context;
  const { namespace, name, object } = question;
  checkNode(context, question, (object.spec ?? {}) as Spec);
  const account = find(store, "serviceaccounts", namespace, { name });
  const spec = (object.spec ?? {}) as Spec;
  const seconds = spec.expirationSeconds ?? DEFAULT_SECONDS;
  const found = [...problems(seconds)];
  checkMetadata(object.metadata, account);
  if (found.length) throw invalid({ ...TOKEN_REQUEST, name: "" }, found);
  const binding = bound(store, namespace, name, spec.boundObjectRef);

  const now = Math.floor(effects.now() / 1000);
  const audiences = spec.audiences?.length ? spec.audiences : [ISSUER];
  const { managedFields } = object.metadata ?? {};
  const isForApi = audiences.every((audience) => audience === ISSUER);
  const warns = binding.pod !== undefined && seconds === WARN_ONLY_SECONDS && isForApi;
  const claims: Claims = {
    aud: audiences,
    exp: now + (warns ? EXTENDED_SECONDS : seconds),
    iat: now,
    iss: ISSUER,
    jti: effects.uid(),
    "kubernetes.io": {
      namespace,
      serviceaccount: named(account),
      ...binding,
      ...(warns && { warnafter: now + seconds }),
    },
    nbf: now,
    sub: `system:serviceaccount:${namespace}:${name}`,
  };
  return key.sign(claims).then((token) => ({
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: {
      name,
      namespace,
      uid: account.uid,
      creationTimestamp: timestamp(now * 1000),
      ...(managedFields && { managedFields }),
    },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: spec.boundObjectRef ?? null },
    status: { token, expirationTimestamp: timestamp((now + seconds) * 1000) },
  }));
};
