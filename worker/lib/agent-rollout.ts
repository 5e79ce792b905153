/** How agents are renewed: what the cluster keeps of it, in objects that any client can read. */

/** Nodes read releases here, and nothing else. */
export const ROLLOUT_NAMESPACE = "skerry-system";
/** The ConfigMap that says which version is wanted, and how it goes. */
export const ROLLOUT = "agent-rollout";

/**
 * The ConfigMap of a release: `sha256` and `parts` of its archive, and `trialSeconds`, which a new agent has to be heard
 * in. Part N is another ConfigMap, with the bytes in `binaryData.part`.
 */
export const releaseName = (version: string) => `agent-${version}`;
export const partName = (version: string, part: number) => `agent-${version}-part-${part}`;

/** On a Node: the version that its agent is to become. */
export const WANTED_VERSION = "skerry.dev/agent-version";
/** On a Node: since when that is awaited; gone once it has come true. */
export const WANTED_SINCE = "skerry.dev/agent-version-since";
/** On a Node: `VERSION: WHY` of the version that its agent came back from. */
export const FAILED_VERSION = "skerry.dev/agent-update-failed";

/** The agent's version, as a Node tells it beside Kubernetes' own: `v1.35.4+skerry.0.1.0`. */
export const agentVersionOf = (kubeletVersion: string | undefined): string | undefined =>
  /\+skerry\.(.+)$/.exec(kubeletVersion ?? "")?.[1];

export type RolloutState = "Progressing" | "Paused" | "Stopped" | "Complete";
