/** When everything has come to rest: Services lead to the pods that are ready, and to no others; budgets count right. */
import type {
  CoreV1Endpoints,
  CoreV1Service,
  DiscoveryV1EndpointSlice,
  PolicyV1PodDisruptionBudget,
} from "../../../../worker/kinds/generated/types.ts";
import { matchesLabels } from "../../../../worker/lib/selectors.ts";
import { miscount } from "../budgets.ts";
import { describe, type Entry, type History } from "../history.ts";
import { isPodReady, isPodTerminal, type Pod } from "../pods.ts";
import type { Rule, Scene } from "../rule.ts";
import { isLeaving } from "./objects.ts";

export const servicesLead: Rule = {
  rule: "rest-services-lead-to-ready-pods",
  start: (scene) => ({
    rested() {
      for (const entry of scene.history.all<CoreV1Service>("services")) {
        const { spec } = entry.object;
        const isSelecting = spec?.type !== "ExternalName" && Object.keys(spec?.selector ?? {}).length > 0;
        if (isSelecting && !isLeaving(entry)) checkService(scene, entry);
      }
    },
  }),
};

function checkService({ history, fail }: Scene, entry: Entry<CoreV1Service>): void {
  const { spec } = entry.object;
  const pods = history
    .objects<Pod>("pods", entry.namespace)
    .filter((pod) => pod.status?.podIP && !isPodTerminal(pod) && matchesLabels(spec?.selector, pod.metadata.labels))
    .filter((pod) => spec?.publishNotReadyAddresses || (isPodReady(pod) && !pod.metadata.deletionTimestamp));
  const wanted = pods
    .map((pod) => pod.status?.podIP ?? "")
    .sort()
    .join();
  const sliced = slicesOf(history, entry).join();
  if (sliced !== wanted) fail(`${describe(entry)} leads to [${sliced}], and [${wanted}] are ready`);
  const listed = listedOf(history, entry).join();
  if (listed !== wanted) fail(`${describe(entry)} has endpoints [${listed}], and [${wanted}] are ready`);
}

const slicesOf = (history: History, { namespace, name }: Entry): string[] =>
  history
    .objects<DiscoveryV1EndpointSlice>("endpointslices.discovery.k8s.io", namespace)
    .filter(({ metadata }) => metadata?.labels?.["kubernetes.io/service-name"] === name)
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready)
    .map(({ addresses }) => addresses[0] ?? "")
    .sort();

const listedOf = (history: History, { namespace, name }: Entry): string[] =>
  (history.get<CoreV1Endpoints>("endpoints", namespace, name)?.object.subsets ?? [])
    .flatMap(({ addresses }) => addresses ?? [])
    .map(({ ip }) => ip)
    .sort();

export const budgetsCount: Rule = {
  rule: "rest-budgets-count-right",
  start: ({ history, fail }) => ({
    rested() {
      for (const entry of history.all<PolicyV1PodDisruptionBudget>("poddisruptionbudgets.policy")) {
        const problem = miscount(history, entry.object);
        if (problem) fail(`${describe(entry)} ${problem}`);
      }
    },
  }),
};
