import { invalidValue } from "../../lib/status.ts";
import type { CoreV1PodSpec } from "../generated/types.ts";
import type { Problems } from "./fields.ts";

const MIRROR = "kubernetes.io/config.mirror";
const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";
const SECCOMP = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_OF_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/";
const MAX_INT32 = 2 ** 31 - 1;

/** Annotations that mean something to the pod itself. */
export function* validatePodAnnotations(
  annotations: Readonly<Record<string, string>> = {},
  spec: CoreV1PodSpec | undefined,
  field: string,
): Problems {
  const mirror = annotations[MIRROR];
  if (mirror !== undefined && !spec?.nodeName)
    yield invalidValue(`${field}[${MIRROR}]`, mirror, "must set spec.nodeName if mirror pod annotation is set");
  const cost = annotations[DELETION_COST];
  if (cost !== undefined && !isInt32(cost))
    yield invalidValue(`${field}[${DELETION_COST}]`, cost, "must be a 32bit integer");
  for (const [key, profile] of Object.entries(annotations)) {
    if (key === SECCOMP || key.startsWith(SECCOMP_OF_CONTAINER)) yield* seccompProblems(profile, `${field}.${key}`);
    if (key.startsWith(APP_ARMOR))
      yield* appArmorProblems(profile, key.slice(APP_ARMOR.length), spec, `${field}[${key}]`);
  }
}

const isInt32 = (text: string): boolean =>
  /^(-\d+|0|[1-9]\d*)$/.test(text) && Number(text) >= -MAX_INT32 - 1 && Number(text) <= MAX_INT32;

const LOCAL = "localhost/";

function* seccompProblems(profile: string, field: string): Problems {
  if (["unconfined", "runtime/default", "docker/default"].includes(profile)) return;
  if (!profile.startsWith(LOCAL)) {
    yield invalidValue(field, profile, "must be a valid seccomp profile");
    return;
  }
  const path = profile.slice(LOCAL.length);
  if (path.startsWith("/")) yield invalidValue(field, path, "must be a relative path");
  if (path.split("/").includes("..")) yield invalidValue(field, path, "must not contain '..'");
}

function* appArmorProblems(profile: string, name: string, spec: CoreV1PodSpec | undefined, field: string): Problems {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec ?? {};
  if (![...containers, ...initContainers, ...ephemeralContainers].some((container) => container.name === name))
    yield invalidValue(field, name, "container not found");
  const isKnown = ["", "runtime/default", "unconfined"].includes(profile) || profile.startsWith(LOCAL);
  if (!isKnown) yield invalidValue(field, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`);
}
