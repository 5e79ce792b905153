import type { ComponentStatus } from "../../kinds/core/component-status.ts";
import type { StoredObject } from "../../storage/store.ts";
import type { Core } from "./core.ts";

/**
 * What kube-apiserver says of its helpers. Here they are parts of one program: where it answers, they are well, unless it
 * runs without them.
 */
export function componentStatuses({ config, store }: Core): StoredObject[] {
  const revision = store.revision();
  return ["controller-manager", "scheduler", "etcd-0"].map((name) => {
    const isHealthy = name === "etcd-0" || config.controllers;
    const status: ComponentStatus = {
      apiVersion: "v1",
      kind: "ComponentStatus",
      metadata: { name },
      conditions: [
        {
          type: "Healthy",
          status: isHealthy ? "True" : "False",
          message: isHealthy ? "ok" : "the control plane runs without it",
        },
      ],
    };
    return { resource: "componentstatuses", namespace: "", name, uid: "", revision, json: JSON.stringify(status) };
  });
}
