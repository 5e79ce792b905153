/**
 * Renews the nodes' agents, a few at a time: one node first, then a share of them, and none any more once a node has not
 * come back well in its time. What is wanted is in a ConfigMap, and so is how it goes (`lib/agent-rollout.ts`); a node is
 * told by an annotation.
 */
import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Node } from "../../kinds/core/node.ts";
import {
  agentVersionOf,
  FAILED_VERSION,
  ROLLOUT,
  ROLLOUT_NAMESPACE,
  type RolloutState,
  WANTED_SINCE,
  WANTED_VERSION,
} from "../../lib/agent-rollout.ts";
import { timestamp } from "../../lib/effects.ts";
import type { Controller, Intent } from "../controller.ts";
import { keyOf, watch } from "../keys.ts";
import { readyStatus } from "../nodes/readiness.ts";

const KEY = `${ROLLOUT_NAMESPACE}/${ROLLOUT}`;
const DEFAULT_PERCENT = 20;
const DEFAULT_TIMEOUT_SECONDS = 300;

type Rollout = { version: string; percent: number; timeoutMs: number; paused: boolean };
type Standing =
  /** It has the version, or had it and is away now. */
  | { is: "done" }
  | { is: "waiting" }
  | { is: "updating"; until: number }
  | { is: "failed"; why: string }
  /** It cannot be told. */
  | { is: "away" };

export const agentRolloutController: Controller = {
  name: "agent-rollout-controller",
  patient: true,
  watches: [
    watch(ConfigMap, function* (map) {
      if (keyOf(map) === KEY) yield KEY;
    }),
    watch(Node, function* (node, old, view) {
      if (view.get(ConfigMap, ROLLOUT_NAMESPACE, ROLLOUT) && traits(node) !== (old && traits(old))) yield KEY;
    }),
  ],
  reconcile(view, _key, { now }) {
    const map = view.get(ConfigMap, ROLLOUT_NAMESPACE, ROLLOUT);
    const rollout = map && rolloutOf(map);
    if (!map || !rollout) return [];
    const nodes = view.list(Node).map((node) => ({ node, standing: standingOf(node, rollout, now) }));
    const of = (is: Standing["is"]) => nodes.filter(({ standing }) => standing.is === is);
    const failed = nodes.flatMap(({ node, standing }) =>
      standing.is === "failed" ? [`node ${node.metadata.name}: ${standing.why}`] : [],
    );
    const goesOn = failed.length === 0 && !rollout.paused;
    const atOnce = of("done").length === 0 ? 1 : Math.max(1, Math.floor((nodes.length * rollout.percent) / 100));
    const told = goesOn ? of("waiting").slice(0, Math.max(0, atOnce - of("updating").length)) : [];
    const open = of("waiting").length + of("updating").length;
    const state: RolloutState = failed[0]
      ? "Stopped"
      : rollout.paused
        ? "Paused"
        : open > 0
          ? "Progressing"
          : "Complete";
    const away = of("away").length;
    const message = [
      `${of("done").length} of ${nodes.length} nodes have ${rollout.version}`,
      ...(away > 0 ? [`${away} cannot be told until they are back`] : []),
      ...failed,
    ].join("; ");
    return [
      ...told.map(({ node }) => annotate(node, { [WANTED_VERSION]: rollout.version, [WANTED_SINCE]: timestamp(now) })),
      ...of("done").flatMap(({ node }) => arrived(node)),
      ...say(map, state, message),
      ...wakeFor(nodes, now),
    ];
  },
};

/** What of a node matters here. */
const traits = (node: Readonly<Node>): string =>
  JSON.stringify([
    readyStatus(node),
    node.status?.nodeInfo?.kubeletVersion,
    [WANTED_VERSION, WANTED_SINCE, FAILED_VERSION].map((name) => node.metadata.annotations?.[name]),
  ]);

function rolloutOf({ data = {} }: Readonly<ConfigMap>): Rollout | undefined {
  const number = (text: string | undefined, otherwise: number) => (Number(text) > 0 ? Number(text) : otherwise);
  if (!data.version) return undefined;
  return {
    version: data.version,
    percent: Math.min(number(data.percent, DEFAULT_PERCENT), 100),
    timeoutMs: number(data.timeoutSeconds, DEFAULT_TIMEOUT_SECONDS) * 1000,
    paused: data.paused === "true",
  };
}

function standingOf(node: Readonly<Node>, { version, timeoutMs }: Rollout, now: number): Standing {
  const annotations = node.metadata.annotations ?? {};
  const runs = agentVersionOf(node.status?.nodeInfo?.kubeletVersion);
  const isReady = readyStatus(node) === "True";
  const isTold = annotations[WANTED_VERSION] === version;
  const since = isTold ? Date.parse(annotations[WANTED_SINCE] ?? "") : Number.NaN;
  if (runs === version && (isReady || Number.isNaN(since))) return { is: "done" };
  const failure = annotations[FAILED_VERSION] ?? "";
  if (failure.startsWith(`${version}: `)) return { is: "failed", why: failure.slice(version.length + 2) };
  if (!isTold) return { is: isReady ? "waiting" : "away" };
  if (Number.isNaN(since)) return { is: "away" }; // it had the version, and came back with another
  const until = since + timeoutMs;
  if (now < until) return { is: "updating", until };
  const seconds = timeoutMs / 1000;
  return {
    is: "failed",
    why:
      runs === version
        ? `is not Ready ${seconds} s after it was told`
        : `still runs ${runs} ${seconds} s after it was told`,
  };
}

function annotate(node: Readonly<Node>, changes: Record<string, string | undefined>): Intent {
  const annotations: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...node.metadata.annotations, ...changes }))
    if (value !== undefined) annotations[name] = value;
  return { do: "update", kind: Node, object: { ...node, metadata: { ...node.metadata, annotations } } as Node };
}

/** From here on it may be away as any node. */
const arrived = (node: Readonly<Node>): Intent[] =>
  node.metadata.annotations?.[WANTED_SINCE] ? [annotate(node, { [WANTED_SINCE]: undefined })] : [];

function say(map: Readonly<ConfigMap>, state: RolloutState, message: string): Intent[] {
  if (map.data?.state === state && map.data.message === message) return [];
  return [{ do: "update", kind: ConfigMap, object: { ...map, data: { ...map.data, state, message } } as ConfigMap }];
}

function wakeFor(nodes: readonly { standing: Standing }[], now: number): Intent[] {
  const due = nodes.flatMap(({ standing }) => (standing.is === "updating" ? [standing.until] : []));
  return due.length > 0 ? [{ do: "again", afterMs: Math.max(1, Math.min(...due) - now) }] : [];
}
