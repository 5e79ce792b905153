import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type Deployment = Schemas["io.k8s.api.apps.v1.Deployment"];
export const Deployment = defineKind({ schema: "io.k8s.api.apps.v1.Deployment" });
