import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type ControllerRevision = Schemas["io.k8s.api.apps.v1.ControllerRevision"];
export const ControllerRevision = defineKind({ schema: "io.k8s.api.apps.v1.ControllerRevision" });
