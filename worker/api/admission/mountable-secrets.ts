import type { CoreV1Container, CoreV1Pod, CoreV1ServiceAccount } from "../../kinds/generated/types.ts";

const ENFORCED = "kubernetes.io/enforce-mountable-secrets";

const isEnforced = ({ metadata }: CoreV1ServiceAccount) =>
  ["1", "t", "T", "true", "TRUE", "True"].includes(metadata?.annotations?.[ENFORCED] ?? "");

/**
 * Why a pod may not run as an account that says which secrets its pods may use.
 * https://kubernetes.io/docs/concepts/security/service-accounts/#enforce-mountable-secrets
 */
export function mountableProblem(account: CoreV1ServiceAccount, { spec }: CoreV1Pod): string | undefined {
  if (!spec || !isEnforced(account)) return undefined;
  const known = new Set((account.secrets ?? []).map(({ name }) => name));
  const because = `is not allowed because service account ${account.metadata?.name} does not reference that`;
  for (const { secret } of spec.volumes ?? [])
    if (secret && !known.has(secret.secretName))
      return `volume with secret.secretName="${secret.secretName}" ${because} secret`;
  const all: readonly (readonly [string, readonly CoreV1Container[] | undefined])[] = [
    ["init container", spec.initContainers],
    ["container", spec.containers],
    ["ephemeral container", spec.ephemeralContainers as CoreV1Container[] | undefined],
  ];
  for (const [kind, containers = []] of all)
    for (const container of containers)
      for (const [how, name] of usesOf(container))
        if (!known.has(name))
          return `${kind} ${container.name} with ${how} referencing secret.secretName="${name}" ${because} secret`;
  const pull = new Set((account.imagePullSecrets ?? []).map(({ name }) => name));
  for (const [index, { name }] of (spec.imagePullSecrets ?? []).entries())
    if (!pull.has(name)) return `imagePullSecrets[${index}].name="${name}" ${because} imagePullSecret`;
  return undefined;
}

function* usesOf({ env, envFrom }: CoreV1Container): Iterable<[how: string, secret: string | undefined]> {
  for (const { name, valueFrom } of env ?? [])
    if (valueFrom?.secretKeyRef) yield [`envVar ${name}`, valueFrom.secretKeyRef.name];
  for (const { secretRef } of envFrom ?? []) if (secretRef) yield ["envFrom", secretRef.name];
}
