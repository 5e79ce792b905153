/** A run as lines for people. */
import type { Change } from "../../worker/storage/store.ts";
import type { Observation } from "./contract.ts";

type Loose = {
  metadata?: { deletionTimestamp?: string; generation?: number; finalizers?: string[] };
  spec?: { nodeName?: string; replicas?: number };
  status?: Record<string, unknown> & {
    phase?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { name: string; ready?: boolean; restartCount?: number; state?: object }[];
  };
};

/** What is worth knowing of an object, in a few words. */
function gist(json: string): string {
  const { metadata = {}, spec = {}, status = {} } = JSON.parse(json) as Loose;
  const counts = ["replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "active", "succeeded", "failed"];
  return [
    metadata.deletionTimestamp && "going",
    metadata.finalizers && `held by ${metadata.finalizers.join()}`,
    spec.nodeName && `on ${spec.nodeName}`,
    spec.replicas !== undefined && `wants ${spec.replicas}`,
    status.phase,
    ...counts.flatMap((name) => (typeof status[name] === "number" ? [`${name} ${status[name]}`] : [])),
    status.conditions
      ?.filter(({ status: value }) => value !== "True")
      .map(({ type, status: value }) => `${type} ${value}`)
      .join(" "),
    ...(status.containerStatuses ?? []).map(
      ({ name, ready, restartCount, state = {} }) =>
        `${name} ${Object.keys(state).join()}${ready ? " ready" : ""}${restartCount ? ` restarted ${restartCount}` : ""}`,
    ),
  ]
    .filter((part) => part)
    .join(", ");
}

const changeText = ({ revision, type, resource, namespace, name, json }: Change) =>
  `${revision} ${type} ${resource} ${namespace && `${namespace}/`}${name} ${gist(json)}`;

const short = (value: unknown, length = 300) => JSON.stringify(value)?.slice(0, length) ?? "";

function lines(observation: Observation): string[] {
  switch (observation.type) {
    case "commit":
      return observation.changes.filter(({ resource }) => resource !== "events").map(changeText);
    case "request":
      return [
        `#${observation.id} ${observation.client}: ${observation.method} ${observation.path} ${short(observation.body)}`,
      ];
    case "answer":
      return [
        `#${observation.id} answered ${observation.code}${observation.code >= 400 ? ` ${short(observation.body)}` : ""}`,
      ];
    case "unanswered":
      return [`#${observation.id} unanswered`];
    case "watch-event":
      return [`watch ${observation.watch}: ${observation.event} ${observation.object.metadata?.name ?? ""}`];
    case "watch-opened":
      return [`watch ${observation.watch} of ${observation.resource} from ${observation.from}`];
    case "watch-closed":
      return [`watch ${observation.watch} closed`];
    case "container": {
      const { node, state, container } = observation;
      return [
        `${node}: ${state} ${container.namespace}/${container.pod} ${container.name} ${container.id.slice(0, 8)}`,
      ];
    }
    case "visit": {
      const { visit, state, method, host, address, pod, status, heard } = observation;
      const what = address ?? pod?.ip ?? status ?? host;
      return [`visit ${visit} ${method} ${state} ${what}${heard ? ` as of ${heard.revision}` : ""}`];
    }
    case "led":
      return [`${observation.host} leads to ${observation.addresses}`];
    case "rebuilt":
      return [`-- the object begins anew: ${observation.why}`];
    case "fault":
      return [`!! ${observation.fault}`];
    default:
      return [`-- ${observation.type}`];
  }
}

const clock = (at: number) => new Date(at).toISOString().slice(11, 23);

export function trace(observation: Observation): string {
  return lines(observation)
    .map((line) => `${clock(observation.at)} ${line}\n`)
    .join("");
}
