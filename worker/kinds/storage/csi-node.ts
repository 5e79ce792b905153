import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateCsiNode } from "../validation/csi.ts";

/** https://kubernetes-csi.github.io/docs/csi-node-object.html */
export type CSINode = Schemas["io.k8s.api.storage.v1.CSINode"];
export const CSINode = defineKind({ schema: "io.k8s.api.storage.v1.CSINode", validate: validateCsiNode });
