import { conditionOf } from "../controllers/conditions.ts";
import { Model } from "../controllers/testing.ts";
import { Pod } from "../kinds/core/pod.ts";
import { scheduler } from "./scheduler.ts";

export type Change = (pod: Pod) => void;

export function pod(name: string, change: Change = () => {}): Pod {
  const made: Pod = {
    metadata: { name, namespace: "default", labels: { app: name.replace(/-\d+$/, "") } },
    spec: { containers: [{ name: "c", image: "app" }] },
  };
  change(made);
  return made;
}

export const requesting =
  (requests: Record<string, string>): Change =>
  ({ spec }) => {
    spec.containers = [{ name: "c", image: "app", resources: { requests } }];
  };

export function cluster(...nodes: string[]): Model {
  const model = new Model([scheduler()]);
  for (const node of nodes) model.addNode(node);
  model.rest();
  return model;
}

export function run(model: Model, ...pods: Pod[]): (string | undefined)[] {
  for (const each of pods) model.create(Pod, each);
  model.rest();
  return pods.map((each) => nodeOf(model, each.metadata.name));
}

export const nodeOf = (model: Model, name = "") => model.get(Pod, name)?.spec.nodeName;
export const why = (model: Model, name: string) =>
  conditionOf(model.get(Pod, name)?.status?.conditions, "PodScheduled")?.message;
