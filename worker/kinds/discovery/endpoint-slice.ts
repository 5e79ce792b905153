import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type EndpointSlice = Schemas["io.k8s.api.discovery.v1.EndpointSlice"];
export const EndpointSlice = defineKind({ schema: "io.k8s.api.discovery.v1.EndpointSlice" });
