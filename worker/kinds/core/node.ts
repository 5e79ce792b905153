import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type Node = Schemas["io.k8s.api.core.v1.Node"];
export const Node = defineKind({ schema: "io.k8s.api.core.v1.Node" });
