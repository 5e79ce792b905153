import { podReferences } from "../../kinds/core/pod-references.ts";
import { ServiceAccount } from "../../kinds/core/service-account.ts";
import type { CoreV1Pod, CoreV1PodSpec, CoreV1ServiceAccount } from "../../kinds/generated/types.ts";
import { generatedName } from "../engine/metadata.ts";
import type { Operation } from "../engine/operation.ts";
import { type Admission, creates, refusal } from "./admission.ts";
import { mountableProblem } from "./mountable-secrets.ts";

const MIRROR = "kubernetes.io/config.mirror";
const MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX = "kube-api-access-";
const TOKEN_SECONDS = 3607;
const MODE = 0o644;

/** Every pod runs as a service account, and finds its token, the CA and its namespace in a volume. */
export const serviceAccount: Admission = {
  name: "ServiceAccount",
  admits(operation) {
    if (addsContainers(operation)) return checkSecrets(operation);
    if (!creates(operation, "pods")) return;
    const { spec, metadata } = operation.object as CoreV1Pod;
    if (!spec) return;
    if (metadata?.annotations?.[MIRROR] !== undefined) return checkMirror(operation, spec);
    spec.serviceAccountName ||= "default";
    spec.serviceAccount = spec.serviceAccountName;
    const account = accountOf(operation, spec.serviceAccountName);
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(operation, spec);
    if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
      spec.imagePullSecrets = account.imagePullSecrets.map((reference) => ({ ...reference }));
    checkSecrets(operation);
  },
};

const addsContainers = ({ action, kind, subresource }: Operation) =>
  action === "UPDATE" && subresource === "ephemeralcontainers" && kind.groupResource === "pods";

function checkSecrets(operation: Operation): void {
  const pod = operation.object as CoreV1Pod;
  const why = mountableProblem(accountOf(operation, pod.spec?.serviceAccountName ?? ""), pod);
  if (why) throw refusal(operation, why);
}

/** What a node says it runs is as it says, and has nothing of the cluster's. */
function checkMirror(operation: Operation, spec: CoreV1PodSpec): void {
  const refused = (why: string) => refusal(operation, `a mirror pod may not ${why}`);
  if (spec.serviceAccountName) throw refused("reference service accounts");
  if (podReferences({ spec }).secrets.size > 0) throw refused("reference secrets");
  for (const { projected } of spec.volumes ?? [])
    if (projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken))
      throw refused("use ServiceAccountToken volume projections");
}

function accountOf(operation: Operation, name: string): CoreV1ServiceAccount {
  const { core, namespace } = operation;
  const account = core.view.get(ServiceAccount, namespace, name);
  if (!account)
    throw refusal(
      operation,
      `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
    );
  return account;
}

function mountToken({ core }: Operation, spec: CoreV1PodSpec): void {
  const given = spec.volumes?.find(({ name }) => name?.startsWith(VOLUME_PREFIX))?.name;
  const name = given ?? generatedName(VOLUME_PREFIX, core.effects);
  let isMounted = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (container.volumeMounts?.some(({ mountPath }) => mountPath === MOUNT_PATH)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: MOUNT_PATH }];
    isMounted = true;
  }
  if (isMounted && given === undefined) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

const tokenVolume = (name: string) => ({
  name,
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      {
        downwardAPI: {
          items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
        },
      },
    ],
    defaultMode: MODE,
  },
});
