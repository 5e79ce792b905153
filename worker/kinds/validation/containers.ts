import { dnsLabelProblems } from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required, tooLong } from "../../lib/status.ts";
import { isSidecar } from "../core/pod-conditions.ts";
import type { AnyContainer } from "../core/pod-defaults.ts";
import type { CoreV1Container, CoreV1PodSpec } from "../generated/types.ts";
import { validateEnv, validateEnvFrom } from "./env.ts";
import { invalidFor, notFoundField, type Problems } from "./fields.ts";
import { type KnownVolumes, validateDevices, validateMounts } from "./mounts.ts";
import { validateContainerPorts, validateHostPorts } from "./ports.ts";
import { validateLifecycle, validateProbes } from "./probes.ts";
import { validateRequirements, validateResizePolicy } from "./resources.ts";
import { validateSecurityContext } from "./security.ts";

const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES = ["File", "FallbackToLogsOnError"];
const RESTART_POLICIES = ["Always", "Never", "OnFailure"];

/** What the checks of one container need to know of its pod. */
type Around = { spec: CoreV1PodSpec; volumes: KnownVolumes; claims: ReadonlySet<string>; graceSeconds: number };

export function* validateAllContainers(spec: CoreV1PodSpec, volumes: KnownVolumes, field: string): Problems {
  const claims = new Set((spec.resourceClaims ?? []).map((claim) => claim.name));
  const around = { spec, volumes, claims, graceSeconds: spec.terminationGracePeriodSeconds ?? 0 };
  yield* validateContainers(around, `${field}.containers`);
  yield* validateInitContainers(around, `${field}.initContainers`);
  yield* validateEphemeralContainers(around, `${field}.ephemeralContainers`);
}

function* validateContainers(around: Around, field: string): Problems {
  const containers = around.spec.containers ?? [];
  if (!containers.length) {
    yield required(field);
    return;
  }
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const at = `${field}[${index}]`;
    yield* validateCommon(container, around, at);
    if (names.has(container.name)) yield duplicate(`${at}.name`, container.name);
    names.add(container.name);
    if (container.lifecycle) yield* validateLifecycle(container.lifecycle, `${at}.lifecycle`, around);
    yield* validateProbes(container, at, around.graceSeconds);
    yield* validateRestarts(container, at);
  }
  yield* validateHostPorts(containers, field);
}

const RULE_OPERATORS = ["In", "NotIn"];
const MAX_RULES = 20;
const MAX_EXIT_CODES = 255;

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restart-rules */
function* validateRestarts({ restartPolicy, restartPolicyRules = [] }: CoreV1Container, field: string): Problems {
  const at = `${field}.restartPolicy`;
  if (restartPolicy === undefined) {
    if (restartPolicyRules.length) yield required(at, "must specify restartPolicy when restart rules are used");
  } else if (!RESTART_POLICIES.includes(restartPolicy)) yield notSupported(at, restartPolicy, RESTART_POLICIES);
  if (restartPolicyRules.length > MAX_RULES) yield tooLong(`${field}.restartPolicyRules`, MAX_RULES);
  for (const [index, { action, exitCodes }] of restartPolicyRules.entries()) {
    const rule = `${field}.restartPolicyRules[${index}]`;
    if (action !== "Restart") yield notSupported(`${rule}.action`, action ?? "", ["Restart"]);
    if (!exitCodes) {
      yield required(`${rule}.exitCodes`, "must be specified");
      continue;
    }
    if (!RULE_OPERATORS.includes(exitCodes.operator ?? ""))
      yield notSupported(`${rule}.exitCodes.operator`, exitCodes.operator ?? "", RULE_OPERATORS);
    if ((exitCodes.values?.length ?? 0) > MAX_EXIT_CODES) yield tooLong(`${rule}.exitCodes.values`, MAX_EXIT_CODES);
  }
}

function* validateInitRestarts(container: CoreV1Container, field: string): Problems {
  const { restartPolicy, restartPolicyRules: rules } = container;
  if (restartPolicy === "Always") {
    if (rules?.length)
      yield forbiddenField(
        `${field}.restartPolicyRules`,
        "restartPolicyRules are not allowed for init containers with restart policy Always",
      );
  } else if (restartPolicy !== undefined) yield* validateRestarts(container, field);
  else if (rules?.length)
    yield required(`${field}.restartPolicy`, "must specify restartPolicy when restart rules are used");
}

const ONLY_RUNNING = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const;

function* validateInitContainers(around: Around, field: string): Problems {
  const names = new Set((around.spec.containers ?? []).map((container) => container.name));
  for (const [index, container] of (around.spec.initContainers ?? []).entries()) {
    const at = `${field}[${index}]`;
    yield* validateCommon(container, around, at);
    yield* validateInitRestarts(container, at);
    if (names.has(container.name)) yield duplicate(`${at}.name`, container.name);
    else if (container.name) names.add(container.name);
    yield* validateHostPorts([container], field);
    if (isSidecar(container)) {
      if (container.lifecycle) yield* validateLifecycle(container.lifecycle, `${at}.lifecycle`, around);
      yield* validateProbes(container, at, around.graceSeconds);
      continue;
    }
    for (const name of ONLY_RUNNING)
      if (container[name])
        yield forbiddenField(`${at}.${name}`, "may not be set for init containers without restartPolicy=Always");
  }
}

const NOT_EPHEMERAL = [
  "ports",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
] as const;
const EPHEMERAL = "cannot be set for an Ephemeral Container";

function* validateEphemeralContainers(around: Around, field: string): Problems {
  const { containers, initContainers, ephemeralContainers } = around.spec;
  const names = new Set([...(containers ?? []), ...(initContainers ?? [])].map((container) => container.name));
  const targets = new Set(names);
  for (const [index, container] of (ephemeralContainers ?? []).entries()) {
    const at = `${field}[${index}]`;
    yield* validateCommon(container, around, at);
    yield* validateTrimmed(container, at);
    if (names.has(container.name)) yield duplicate(`${at}.name`, container.name);
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !targets.has(target)) yield notFoundField(`${at}.targetContainerName`, target);
    for (const name of NOT_EPHEMERAL) {
      const value = container[name];
      if (value && Object.keys(value).length) yield forbiddenField(`${at}.${name}`, EPHEMERAL);
    }
    for (const [mountIndex, mount] of (container.volumeMounts ?? []).entries())
      for (const name of ["subPath", "subPathExpr"] as const)
        if (mount[name]) yield forbiddenField(`${at}.volumeMounts[${mountIndex}].${name}`, EPHEMERAL);
  }
}

/** Only of what runs: a template's image may still be filled in. */
export function* validateTrimmed({ image = "" }: AnyContainer, field: string): Problems {
  if (image.trim() !== image)
    yield invalidValue(`${field}.image`, image, "must not have leading or trailing whitespace");
}

function* validateCommon(container: AnyContainer, around: Around, field: string): Problems {
  if (!container.name) yield required(`${field}.name`);
  else yield* invalidFor(`${field}.name`, container.name, dnsLabelProblems(container.name));
  if (!container.image) yield required(`${field}.image`);
  const policy = container.terminationMessagePolicy;
  if (!policy) yield required(`${field}.terminationMessagePolicy`);
  else if (!MESSAGE_POLICIES.includes(policy))
    yield notSupported(`${field}.terminationMessagePolicy`, policy, MESSAGE_POLICIES);
  yield* validateContainerPorts(container.ports, `${field}.ports`);
  yield* validateEnv(container.env, `${field}.env`);
  yield* validateEnvFrom(container.envFrom, `${field}.envFrom`);
  yield* validateMounts(container, around.volumes, `${field}.volumeMounts`);
  yield* validateDevices(container, around.volumes, `${field}.volumeDevices`);
  if (!container.imagePullPolicy) yield required(`${field}.imagePullPolicy`);
  else if (!PULL_POLICIES.includes(container.imagePullPolicy))
    yield notSupported(`${field}.imagePullPolicy`, container.imagePullPolicy, PULL_POLICIES);
  yield* validateRequirements(container.resources, around.claims, `${field}.resources`);
  yield* validateResizePolicy(container.resizePolicy, around.spec.restartPolicy, `${field}.resizePolicy`);
  yield* validateSecurityContext(container.securityContext, around.spec, `${field}.securityContext`);
}
