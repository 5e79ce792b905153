import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";

export type Event = Schemas["io.k8s.api.events.v1.Event"];
export const Event = defineKind({ schema: "io.k8s.api.events.v1.Event" });
