import { Deployment } from "../../kinds/apps/deployment.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodReady } from "../../kinds/core/pod-conditions.ts";
import { replicaSetController } from "../replicaset/replicaset.ts";
import { Model } from "../testing.ts";
import { deploymentController } from "./deployment.ts";

export function web(replicas: number, image = "app:1", spec: Partial<Deployment["spec"]> = {}): Deployment {
  return {
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "app", image }] },
      },
      ...spec,
    },
  };
}

export function cluster(): Model {
  return new Model([deploymentController, replicaSetController]);
}

/** Stands in for the scheduler and the node: bound pods come up ready, deleted ones end. */
export function run(model: Model): void {
  for (let round = 0; round < 200; round++) {
    model.rest();
    let busy = false;
    for (const pod of model.list(Pod)) {
      if (!pod.spec.nodeName) bind(model, pod);
      else if (pod.metadata.deletionTimestamp) model.endPod(pod);
      else if (!isPodReady(pod)) model.setPod(pod, "Running", true);
      else continue;
      busy = true;
      break;
    }
    if (!busy) return;
  }
}

export function bind(model: Model, { metadata: { namespace = "", name = "", uid = "" } }: Readonly<Pod>): void {
  const refused = model.apply({ do: "bind", namespace, name, uid, node: "node-a" });
  if (refused) throw refused;
}

export const setImage = (model: Model, image: string) =>
  model.edit(Deployment, web(0), (d) => {
    d.spec.template.spec = { containers: [{ name: "app", image }] };
  });
