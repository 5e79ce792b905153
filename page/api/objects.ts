/** Of Kubernetes' objects what the page reads. */
export type * from "../../worker/lib/facts/objects.ts";
