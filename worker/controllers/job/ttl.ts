import { Job } from "../../kinds/batch/job.ts";
import type { Controller } from "../controller.ts";
import { keyOf, splitKey, watch } from "../keys.ts";
import { removal } from "../removal.ts";
import { isFinished } from "./tally.ts";

/**
 * Deletes Jobs some time after they finished.
 * https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
 */
export const ttlAfterFinishedController: Controller = {
  name: "ttl-after-finished-controller",
  watches: [
    watch(Job, function* (job, _old, _view, type) {
      if (type !== "DELETED" && job.spec?.ttlSecondsAfterFinished !== undefined && isFinished(job)) yield keyOf(job);
    }),
  ],
  reconcile(view, key, { now }) {
    const job = view.get(Job, ...splitKey(key));
    const seconds = job?.spec?.ttlSecondsAfterFinished;
    if (!job || seconds === undefined || !isFinished(job) || job.metadata.deletionTimestamp) return [];
    const end = (job.status?.conditions ?? []).find(
      ({ type, status }) => (type === "Complete" || type === "Failed") && status === "True",
    );
    const wait = Date.parse(end?.lastTransitionTime ?? "") + seconds * 1000 - now;
    if (wait > 0) return [{ do: "again", afterMs: wait }];
    return [removal(Job, job, { propagationPolicy: "Foreground" })];
  },
};
