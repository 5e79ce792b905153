import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type PodDisruptionBudget = Schemas["io.k8s.api.policy.v1.PodDisruptionBudget"];
export const PodDisruptionBudget = defineKind({ schema: "io.k8s.api.policy.v1.PodDisruptionBudget" });
