/** Paths that are no resources: how they are routed, and what is known of a request by then. */
import type { Context, Hono, MiddlewareHandler } from "hono";
import type { Asked } from "./request-info.ts";

export type PathEnv = { Bindings: Asked };
export type Paths = Hono<PathEnv>;
export type PathContext = Context<PathEnv>;
/** Lets only those pass who may ask. */
export type PathGuard = MiddlewareHandler<PathEnv>;
