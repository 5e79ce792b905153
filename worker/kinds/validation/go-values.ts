import { unifiedDiff } from "../../lib/unified-diff.ts";
import type { CoreV1PodSpec, MetaV1LabelSelector } from "../generated/types.ts";

/**
 * Values as messages show them: the server's own structs, whose fields are named and ordered otherwise than in JSON.
 */
/** LabelSelector is a versioned type and shows as JSON. */
export function goSelector(selector: MetaV1LabelSelector | null | undefined): unknown {
  if (!selector) return null;
  const { matchLabels, matchExpressions } = selector;
  return {
    ...(matchLabels && Object.keys(matchLabels).length && { matchLabels }),
    ...(matchExpressions?.length && {
      matchExpressions: matchExpressions.map(({ key, operator, values }) => ({
        key,
        operator,
        ...(values?.length && { values }),
      })),
    }),
  };
}

/** Fields in the struct's order, with what an absent one shows as. Others are named by capitals alone. */
type GoFields = Readonly<Record<string, null | false | "" | 0 | GoStruct>>;
type GoStruct = { readonly fields: GoFields };

const OPTIONAL = null;

const securityContext: GoFields = {
  capabilities: OPTIONAL,
  privileged: OPTIONAL,
  seLinuxOptions: OPTIONAL,
  windowsOptions: OPTIONAL,
  runAsUser: OPTIONAL,
  runAsGroup: OPTIONAL,
  runAsNonRoot: OPTIONAL,
  readOnlyRootFilesystem: OPTIONAL,
  allowPrivilegeEscalation: OPTIONAL,
  procMount: OPTIONAL,
  seccompProfile: OPTIONAL,
  appArmorProfile: OPTIONAL,
};

const container: GoFields = {
  name: "",
  image: "",
  command: OPTIONAL,
  args: OPTIONAL,
  workingDir: "",
  ports: OPTIONAL,
  envFrom: OPTIONAL,
  env: OPTIONAL,
  resources: { fields: { limits: OPTIONAL, requests: OPTIONAL, claims: OPTIONAL } },
  resizePolicy: OPTIONAL,
  restartPolicy: OPTIONAL,
  restartPolicyRules: OPTIONAL,
  volumeMounts: OPTIONAL,
  volumeDevices: OPTIONAL,
  livenessProbe: OPTIONAL,
  readinessProbe: OPTIONAL,
  startupProbe: OPTIONAL,
  lifecycle: OPTIONAL,
  terminationMessagePath: "",
  terminationMessagePolicy: "",
  imagePullPolicy: "",
  securityContext: OPTIONAL,
  stdin: false,
  stdinOnce: false,
  tty: false,
};

const ephemeralContainer: GoFields = { ...container, targetContainerName: "" };

const podSpec: GoFields = {
  volumes: OPTIONAL,
  initContainers: OPTIONAL,
  containers: OPTIONAL,
  ephemeralContainers: OPTIONAL,
  restartPolicy: "",
  terminationGracePeriodSeconds: OPTIONAL,
  activeDeadlineSeconds: OPTIONAL,
  dnsPolicy: "",
  nodeSelector: OPTIONAL,
  serviceAccountName: "",
  automountServiceAccountToken: OPTIONAL,
  nodeName: "",
  securityContext: OPTIONAL,
  imagePullSecrets: OPTIONAL,
  hostname: "",
  subdomain: "",
  setHostnameAsFQDN: OPTIONAL,
  affinity: OPTIONAL,
  schedulerName: "",
  tolerations: OPTIONAL,
  hostAliases: OPTIONAL,
  priorityClassName: "",
  priority: OPTIONAL,
  preemptionPolicy: OPTIONAL,
  dnsConfig: OPTIONAL,
  readinessGates: OPTIONAL,
  runtimeClassName: OPTIONAL,
  overhead: OPTIONAL,
  enableServiceLinks: OPTIONAL,
  topologySpreadConstraints: OPTIONAL,
  os: OPTIONAL,
  schedulingGates: OPTIONAL,
  resourceClaims: OPTIONAL,
  resources: OPTIONAL,
  hostnameOverride: OPTIONAL,
  workloadRef: OPTIONAL,
};

const podSecurityContext: GoFields = {
  hostNetwork: false,
  hostPID: false,
  hostIPC: false,
  shareProcessNamespace: OPTIONAL,
  hostUsers: OPTIONAL,
  seLinuxOptions: OPTIONAL,
  windowsOptions: OPTIONAL,
  runAsUser: OPTIONAL,
  runAsGroup: OPTIONAL,
  runAsNonRoot: OPTIONAL,
  supplementalGroups: OPTIONAL,
  supplementalGroupsPolicy: OPTIONAL,
  fsGroup: OPTIONAL,
  fsGroupChangePolicy: OPTIONAL,
  sysctls: OPTIONAL,
  seccompProfile: OPTIONAL,
  appArmorProfile: OPTIONAL,
  seLinuxChangePolicy: OPTIONAL,
};

const goNames: Readonly<Record<string, string>> = {
  dnsPolicy: "DNSPolicy",
  dnsConfig: "DNSConfig",
  fsGroup: "FSGroup",
  fsGroupChangePolicy: "FSGroupChangePolicy",
  seLinuxOptions: "SELinuxOptions",
  seLinuxChangePolicy: "SELinuxChangePolicy",
  os: "OS",
  tty: "TTY",
  csi: "CSI",
  nfs: "NFS",
  httpGet: "HTTPGet",
  tcpSocket: "TCPSocket",
  grpc: "GRPC",
};
const goName = (name: string) => goNames[name] ?? name.charAt(0).toUpperCase() + name.slice(1);

/** Names of nested fields follow Go's; keys of maps of resources stay. */
const MAPS = new Set(["limits", "requests", "nodeSelector", "overhead", "matchLabels"]);

export function goNamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(goNamed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [goName(name), MAPS.has(name) ? inner : goNamed(inner)]),
  );
}

function goStruct(fields: GoFields, value: object): Record<string, unknown> {
  const json = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(fields).map(([name, absent]) => {
      const given = json[name];
      if (absent && typeof absent === "object") return [goName(name), goStruct(absent.fields, given ?? {})];
      return [goName(name), given === undefined ? absent : MAPS.has(name) ? given : goNamed(given)];
    }),
  );
}

export const goSecurityContext = (context: object): unknown => goStruct(securityContext, context);
export const goEphemeralContainer = (ephemeral: object): unknown => goStruct(ephemeralContainer, ephemeral);

export function goPodSpec(spec: CoreV1PodSpec): unknown {
  const { hostNetwork = false, hostPID = false, hostIPC = false, shareProcessNamespace, hostUsers, ...rest } = spec;
  const shared = { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers };
  return {
    ...goStruct(podSpec, rest),
    ...(spec.initContainers && { InitContainers: spec.initContainers.map((one) => goStruct(container, one)) }),
    Containers: (spec.containers ?? []).map((one) => goStruct(container, one)),
    SecurityContext: spec.securityContext && goStruct(podSecurityContext, { ...spec.securityContext, ...shared }),
  };
}

/** What changed between two values, as messages show it. */
export const goDiff = (before: unknown, after: unknown): string =>
  unifiedDiff(JSON.stringify(before, null, 1), JSON.stringify(after, null, 1));

/** The key by which two ports of a Service clash. */
export const goServicePort = (protocol: string | undefined, port: number): Record<string, unknown> => ({
  Name: "",
  Protocol: protocol ?? "",
  AppProtocol: null,
  Port: port,
  TargetPort: 0,
  NodePort: 0,
});
