/** Of Kubernetes' objects what the page reads. */

export type { AuditEvent } from "../../worker/lib/facts/audit-event.ts";
export type * from "../../worker/lib/facts/objects.ts";
