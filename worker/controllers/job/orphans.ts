import { Job } from "../../kinds/batch/job.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { matchesSelector } from "../../lib/selectors.ts";
import type { Controller, View } from "../controller.ts";
import { keyOf, splitKey, watch } from "../keys.ts";
import { controllerOf, refersTo } from "../owners.ts";
import { isTracked, untracked } from "./pods.ts";
import type { OneJob, OnePod } from "./tally.ts";

/**
 * Lets go of pods whose Job is gone, or was taken from them: nobody will count them any more, and with the finalizer
 * they could never leave. A Job of the same name is not their Job.
 */
export const jobOrphans: Controller = {
  name: "job-orphan-pods",
  watches: [
    watch(Pod, (pod) => (isTracked(pod) ? [keyOf(pod)] : [])),
    watch(Job, (job, _old, view, type) =>
      type === "DELETED"
        ? view
            .owned(Pod, job.metadata.uid ?? "")
            .filter(isTracked)
            .map(keyOf)
        : [],
    ),
  ],
  reconcile(view, key) {
    const pod = view.get(Pod, ...splitKey(key));
    return pod && isTracked(pod) && isOrphan(view, pod) ? [untracked(pod)] : [];
  },
};

function isOrphan(view: View, pod: OnePod): boolean {
  const { namespace = "" } = pod.metadata;
  const controller = controllerOf(pod);
  if (controller) {
    if (!refersTo(controller, Job)) return false;
    return view.get(Job, namespace, controller.name)?.metadata.uid !== controller.uid;
  }
  return pod.metadata.deletionTimestamp !== undefined || !view.list(Job, namespace).some((job) => adopts(job, pod));
}

const adopts = ({ metadata, spec }: OneJob, pod: OnePod): boolean =>
  !metadata.deletionTimestamp && matchesSelector(spec?.selector, pod.metadata.labels);
