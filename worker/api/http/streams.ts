/**
 * Exec, attach, port-forward and logs: authorized and checked here, served by the pod's node. Texts are those of the
 * API server and, for what it would learn from the kubelet, the kubelet's.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
 */

import type { Pod } from "../../kinds/core/pod.ts";
import { isTrue, portsOf } from "../../lib/query.ts";
import { ApiError, badRequest, type FieldError, invalid, invalidValue, notFound } from "../../lib/status.ts";
import { LOG_AS_BODY, type PodStreamRequest, type StreamRequest } from "../../protocol/link.ts";
import type { Reader } from "../../storage/store.ts";

export type StreamKind = PodStreamRequest["kind"];

/** The node whose Relay to use, and what its agent is asked to serve. */
export type StreamGrant = { node: string; stream: StreamRequest };
/** A request that goes on to another server, and what that is told of who asks. */
export type ForwardGrant = StreamGrant & { headers: [name: string, value: string][] };

export const notConnected = (node: string): ApiError =>
  new ApiError(503, "ServiceUnavailable", `node ${node} is not connected to the control plane`);

export const STREAMS: ReadonlySet<string> = new Set<StreamKind>(["exec", "attach", "log", "portforward"]);

const DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container";
const names = (list: { name: string }[] | undefined) => (list ?? []).map(({ name }) => name);

/** The container meant by the query, or the 400 that lists the choices. */
function container(pod: Pod, wanted: string): string {
  const { containers, initContainers, ephemeralContainers } = pod.spec;
  const name = pod.metadata.name;
  if (!wanted) {
    const preferred = pod.metadata.annotations?.[DEFAULT_CONTAINER];
    if (preferred && names(containers).includes(preferred)) return preferred;
    const [only, ...others] = names(containers);
    if (only && others.length === 0) return only;
    const init = initContainers?.length ? ` or one of the init containers: [${names(initContainers).join(" ")}]` : "";
    throw badRequest(
      `a container name must be specified for pod ${name}, choose one of: [${names(containers).join(" ")}]${init}`,
    );
  }
  if ([containers, initContainers, ephemeralContainers].some((list) => names(list).includes(wanted))) return wanted;
  throw badRequest(`container ${wanted} is not valid for pod ${name}`);
}

const WAITING: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: "trying and failing to pull image",
};

/** Refuses logs of a container that never ran, with the reason why it did not. */
function checkLog(pod: Pod, name: string, previous: boolean): void {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
  const status = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find(
    (candidate) => candidate.name === name,
  );
  const what = `container "${name}" in pod "${pod.metadata.name}"`;
  if (previous) {
    if (!status?.lastState?.terminated?.containerID) throw badRequest(`previous terminated ${what} not found`);
    return;
  }
  const { state, lastState } = status ?? {};
  if (state?.running || state?.terminated?.containerID || lastState?.terminated?.containerID) return;
  if (state?.terminated || lastState?.terminated) throw badRequest(`${what} is terminated`);
  const reason = status?.state?.waiting?.reason ?? "ContainerCreating";
  throw badRequest(`${what} is waiting to start: ${WAITING[reason] ?? reason}`);
}

const MAX_PORT = 65_535;

const PROTOCOLS: Readonly<Record<StreamKind, readonly string[]>> = {
  exec: ["v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io"],
  attach: ["v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io"],
  portforward: ["SPDY/3.1+portforward.k8s.io", "v4.channel.k8s.io"],
  log: ["binary.k8s.io", LOG_AS_BODY],
};

/** The first of ours that the client offers; "" where nothing is to be agreed. */
function subprotocol(kind: StreamKind, offered: readonly string[] | undefined): string {
  const served = PROTOCOLS[kind];
  if (!offered || (kind === "log" && offered.length === 0)) return "";
  const chosen = served.find((protocol) => offered.includes(protocol));
  if (chosen) return chosen;
  throw badRequest(
    `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${served.join(" ")}]`,
  );
}

/** What a client's `Sec-WebSocket-Protocol` offers. */
export const offeredProtocols = (headers: Headers): string[] =>
  (headers.get("sec-websocket-protocol") ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

const integer = (query: URLSearchParams, name: string): number | undefined => {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
};

function* logProblems(query: URLSearchParams): Iterable<FieldError> {
  const tail = integer(query, "tailLines");
  if (tail !== undefined && tail < 0) yield invalidValue("tailLines", tail, "must be greater than or equal to 0");
  const limit = integer(query, "limitBytes");
  if (limit !== undefined && limit < 1) yield invalidValue("limitBytes", limit, "must be greater than 0");
  const since = integer(query, "sinceSeconds");
  if (since !== undefined && since < 1) yield invalidValue("sinceSeconds", since, "must be greater than 0");
  const sinceTime = query.get("sinceTime");
  if (since !== undefined && sinceTime)
    yield {
      field: "",
      reason: "FieldValueForbidden",
      message: "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
    };
  // Alpha: the feature gate PodLogsQuerySplitStreams is off by default.
  if (query.has("stream"))
    yield { field: "stream", reason: "FieldValueForbidden", message: "Forbidden: may not be specified" };
  if (sinceTime && Number.isNaN(Date.parse(sinceTime)))
    throw badRequest(
      `parsing time ${JSON.stringify(sinceTime)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(sinceTime)} as "2006"`,
    );
}

function* execProblems(kind: StreamKind, query: URLSearchParams): Iterable<FieldError> {
  const on = (name: string, fallback: boolean) => (query.has(name) ? isTrue(query.get(name)) : fallback);
  const [stdin, stdout, stderr, tty] = [on("stdin", false), on("stdout", true), on("stderr", true), on("tty", false)];
  if (tty && stderr && query.has("stderr"))
    yield {
      field: "stderr",
      reason: "FieldValueInvalid",
      message: "Invalid value: true: tty and stderr cannot both be true",
    };
  if (!stdin && !stdout && !stderr)
    yield {
      field: "",
      reason: "FieldValueRequired",
      message: "Required value: at least one of stdin, stdout, stderr must be specified",
    };
  if (kind === "exec" && query.getAll("command").length === 0)
    yield { field: "command", reason: "FieldValueRequired", message: "Required value" };
}

const OPTIONS: Readonly<Record<StreamKind, { kind: string; problems(query: URLSearchParams): Iterable<FieldError> }>> =
  {
    log: { kind: "PodLogOptions", problems: logProblems },
    exec: { kind: "PodExecOptions", problems: (query) => execProblems("exec", query) },
    attach: { kind: "PodAttachOptions", problems: (query) => execProblems("attach", query) },
    portforward: { kind: "PodPortForwardOptions", problems: () => [] },
  };

export type StreamQuestion = {
  id: string;
  kind: StreamKind;
  namespace: string;
  name: string;
  query: URLSearchParams;
  /** What the client's socket offers; absent when it opened none. */
  offered: readonly string[] | undefined;
};

/** What to ask of which node; undefined for the log of a pod that has no node, which is empty. Throws the refusals. */
export function grantStream(reader: Reader, question: StreamQuestion): StreamGrant | undefined {
  const { id, kind, namespace, name, query, offered } = question;
  const found = [...OPTIONS[kind].problems(query)];
  if (found.length) throw invalid({ group: "", kind: OPTIONS[kind].kind, name }, found);
  const stored = reader.get({ resource: "pods", namespace, name });
  if (!stored) throw notFound({ group: "", resource: "pods", name });
  const pod = JSON.parse(stored.json) as Pod;
  const chosen = kind === "portforward" ? "" : container(pod, query.get("container") ?? "");
  const node = pod.spec.nodeName;
  if (!node) {
    if (kind === "log") return undefined;
    throw badRequest(`pod ${name} does not have a host assigned`);
  }
  if (kind === "log") checkLog(pod, chosen, isTrue(query.get("previous")));
  const chosenProtocol = subprotocol(kind, offered);
  if (kind === "portforward" && chosenProtocol.endsWith("channel.k8s.io")) checkPorts(query);
  return {
    node,
    stream: {
      id,
      kind,
      namespace,
      pod: name,
      uid: stored.uid,
      container: chosen,
      query: [...query],
      subprotocol: chosenProtocol,
    },
  };
}

/** By channels, ports are the query's; otherwise they come later. */
function checkPorts(query: URLSearchParams): void {
  const ports = portsOf(query);
  if (ports.length === 0) throw badRequest('query parameter "port" is required');
  const wrong = ports.find((port) => !(port >= 1 && port <= MAX_PORT));
  if (wrong !== undefined) throw badRequest(`port "${wrong}" must be > 0`);
}

/** For a stream asked over plain HTTP, where only an upgraded connection can carry it. */
export function notUpgraded(headers: Headers): ApiError {
  return headers.get("upgrade")?.toLowerCase().startsWith("spdy")
    ? badRequest("this server speaks WebSocket, not SPDY: use kubectl 1.31 or newer")
    : badRequest("Upgrade request required");
}
