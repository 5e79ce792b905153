import { patternProblem } from "../../lib/names.ts";
import { forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  CoreV1HTTPGetAction,
  CoreV1Lifecycle,
  CoreV1LifecycleHandler,
  CoreV1PodSpec,
  CoreV1Probe,
} from "../generated/types.ts";
import { invalidFor, notNegative, type Problems } from "./fields.ts";
import { validatePortNumberOrName } from "./ports.ts";

/** https://kubernetes.io/docs/concepts/workloads/pods/probes/ */
const HEADER = "[-A-Za-z0-9]+";
const NOT_A_HEADER = patternProblem(
  "a valid HTTP header must consist of alphanumeric characters or '-'",
  HEADER,
  "X-Header-Name",
);
const SCHEMES = ["HTTP", "HTTPS"];

type Handler = CoreV1LifecycleHandler & Pick<CoreV1Probe, "grpc">;
type Check = (handler: Handler, field: string, graceSeconds: number) => Problems;

/** What may be done, in the order in which the second of two is refused. */
const handlers: readonly { name: keyof Handler; check: Check }[] = [
  {
    name: "exec",
    *check({ exec }, field) {
      if (!exec?.command?.length) yield required(`${field}.command`);
    },
  },
  {
    name: "httpGet",
    *check({ httpGet }, field) {
      if (httpGet) yield* validateHttpGet(httpGet, field);
    },
  },
  {
    name: "tcpSocket",
    check: ({ tcpSocket }, field) => validatePortNumberOrName(tcpSocket?.port, `${field}.port`),
  },
  { name: "grpc", check: ({ grpc }, field) => validatePortNumberOrName(grpc?.port, `${field}.port`) },
  {
    name: "sleep",
    *check({ sleep }, field, graceSeconds) {
      const seconds = sleep?.seconds ?? 0;
      if (seconds < 0 || seconds > graceSeconds)
        yield invalidValue(
          field,
          seconds,
          `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`,
        );
    },
  },
];

function* validateHttpGet(http: CoreV1HTTPGetAction, field: string): Problems {
  if (!http.path) yield required(`${field}.path`);
  yield* validatePortNumberOrName(http.port, `${field}.port`);
  if (!SCHEMES.includes(http.scheme ?? "")) yield notSupported(`${field}.scheme`, http.scheme ?? "", SCHEMES);
  for (const { name = "" } of http.httpHeaders ?? [])
    if (!/^[-A-Za-z0-9]+$/.test(name)) yield* invalidFor(`${field}.httpHeaders`, name, [NOT_A_HEADER]);
}

function* validateHandler(handler: Handler, field: string, graceSeconds: number): Problems {
  let found = false;
  for (const { name, check } of handlers) {
    if (!handler[name]) continue;
    if (found) yield forbiddenField(`${field}.${name}`, "may not specify more than 1 handler type");
    else yield* check(handler, `${field}.${name}`, graceSeconds);
    found = true;
  }
  if (!found) yield required(field, "must specify a handler type");
}

const COUNTS = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

function* validateProbe(probe: CoreV1Probe, field: string, graceSeconds: number): Problems {
  yield* validateHandler(probe, field, graceSeconds);
  for (const name of COUNTS) yield* notNegative(`${field}.${name}`, probe[name]);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0)
    yield invalidValue(`${field}.terminationGracePeriodSeconds`, grace, "must be greater than 0");
}

type Probed = Partial<Record<"livenessProbe" | "readinessProbe" | "startupProbe", CoreV1Probe>>;

export function* validateProbes(container: Probed, field: string, graceSeconds: number): Problems {
  const { livenessProbe, readinessProbe, startupProbe } = container;
  if (livenessProbe) yield* validateOnceEnough(livenessProbe, `${field}.livenessProbe`, graceSeconds);
  if (readinessProbe) {
    yield* validateProbe(readinessProbe, `${field}.readinessProbe`, graceSeconds);
    if (readinessProbe.terminationGracePeriodSeconds !== undefined)
      yield invalidValue(
        `${field}.readinessProbe.terminationGracePeriodSeconds`,
        readinessProbe.terminationGracePeriodSeconds,
        "must not be set for readinessProbes",
      );
  }
  if (startupProbe) yield* validateOnceEnough(startupProbe, `${field}.startupProbe`, graceSeconds);
}

/** A probe whose first success counts. */
function* validateOnceEnough(probe: CoreV1Probe, field: string, graceSeconds: number): Problems {
  yield* validateProbe(probe, field, graceSeconds);
  if (probe.successThreshold !== 1)
    yield invalidValue(`${field}.successThreshold`, probe.successThreshold ?? 0, "must be 1");
}

export function* validateLifecycle(
  lifecycle: CoreV1Lifecycle,
  field: string,
  { spec, graceSeconds }: { spec: CoreV1PodSpec; graceSeconds: number },
): Problems {
  if (lifecycle.postStart) yield* validateHandler(lifecycle.postStart, `${field}.postStart`, graceSeconds);
  if (lifecycle.preStop) yield* validateHandler(lifecycle.preStop, `${field}.preStop`, graceSeconds);
  const signal = lifecycle.stopSignal;
  if (signal === undefined) return;
  const system = spec.os?.name;
  const supported = system === "windows" ? WINDOWS_SIGNALS : LINUX_SIGNALS;
  if (system === undefined)
    yield forbiddenField(`${field}.stopSignal`, "may not be set for containers with empty `spec.os.name`");
  else if (!supported.includes(signal)) yield notSupported(`${field}.stopSignal`, signal, supported);
}

const REALTIME_SIGNALS = 15;
const WINDOWS_SIGNALS = ["SIGKILL", "SIGTERM"];
const LINUX_SIGNALS = [
  ...["ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL"],
  ...["PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1"],
  ...["USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX"],
  ...Array.from({ length: REALTIME_SIGNALS }, (_, at) => `RTMIN+${at + 1}`),
  ...Array.from({ length: REALTIME_SIGNALS - 1 }, (_, at) => `RTMAX-${at + 1}`),
]
  .map((name) => `SIG${name}`)
  .sort();
