import type { CoreV1Pod, CoreV1PodStatus } from "../../worker/kinds/generated/types.ts";
import type { Json } from "../../worker/protocol/link.ts";
import type { Timers } from "../effects.ts";
import type { Api } from "../volumes/tokens.ts";
import { statusPatch } from "./status.ts";

type Report = {
  pod: CoreV1Pod;
  next: CoreV1PodStatus;
  /** As last acknowledged by the API server, and the pod's revision then; 0 when that was not said. */
  acknowledged?: CoreV1PodStatus;
  revision: number;
  sending?: Promise<boolean>;
  scheduled?: { urgent: boolean; cancel(): void };
};

/** Details of a status wait so long for others to go with them; what users wait for goes at once. */
const GATHER_MS = 500;
const RETRY_MS = 5_000;
/** The cluster has more to do than it can: that says nothing against what was sent. */
const TOO_MANY_REQUESTS = 429;

/** Keeps the API server's statuses of this node's pods as they are here; through outages of the uplink, too. */
export class StatusReporter {
  readonly #api: Api;
  readonly #timers: Timers;
  readonly #log: (message: string) => void;
  readonly #reports = new Map<string, Report>();
  #stopped = false;

  constructor(deps: { api: Api; timers: Timers; log: (message: string) => void }) {
    this.#api = deps.api;
    this.#timers = deps.timers;
    this.#log = deps.log;
  }

  /** Sends a status if it differs from the one last acknowledged. */
  report(pod: CoreV1Pod, next: CoreV1PodStatus): void {
    const uid = pod.metadata.uid ?? "";
    const report: Report = this.#reports.get(uid) ?? { pod, next, revision: 0 };
    report.pod = pod;
    report.next = next;
    if (isContradicted(report)) report.acknowledged = undefined;
    this.#reports.set(uid, report);
    this.#schedule(uid, report, isUrgent(report) ? 0 : GATHER_MS);
  }

  /** Sends what waits, at once; false when it could not be delivered. */
  async flush(uid: string): Promise<boolean> {
    const report = this.#reports.get(uid);
    if (!report) return true;
    await report.sending;
    return this.#send(uid, report);
  }

  /** The uplink is back: what failed is sent again. */
  retry(): void {
    for (const [uid, report] of this.#reports) this.#schedule(uid, report, 0);
  }

  stop(): void {
    this.#stopped = true;
  }

  forget(uid: string): void {
    this.#reports.delete(uid);
  }

  #schedule(uid: string, report: Report, delay: number): void {
    if (isSame(report)) return;
    const urgent = delay === 0;
    if (report.scheduled && (report.scheduled.urgent || !urgent)) return;
    report.scheduled?.cancel();
    const cancel = this.#timers.after(delay, async () => {
      await report.sending;
      report.scheduled = undefined;
      if (this.#stopped || this.#reports.get(uid) !== report) return;
      const sent = await this.#send(uid, report);
      if (!sent) this.#schedule(uid, report, RETRY_MS);
    });
    report.scheduled = { urgent, cancel };
  }

  #send(uid: string, report: Report): Promise<boolean> {
    if (isSame(report)) return Promise.resolve(true);
    report.sending = this.#deliver(uid, report);
    return report.sending;
  }

  async #deliver(uid: string, report: Report): Promise<boolean> {
    const { pod, next, acknowledged } = report;
    const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/status`;
    // The uid is a precondition: a pod of the same name is not this one.
    const patch = { metadata: { uid }, status: statusPatch(acknowledged ?? pod.status, next) };
    try {
      const { code, body } = await this.#api(
        "PATCH",
        path,
        patch as unknown as Json,
        "application/strategic-merge-patch+json",
      );
      const message = (body as { message?: string } | null)?.message;
      // 404 and 409: the pod is no more, and the desired state will say so.
      if (code >= 300 && code !== 404 && code !== 409) {
        this.#log(`status of pod ${pod.metadata.namespace}/${pod.metadata.name}: ${code} ${message}`);
        return code < 500 && code !== TOO_MANY_REQUESTS; // what is refused is not sent again unchanged
      }
      report.acknowledged = next;
      report.revision = revisionOf(body as CoreV1Pod | null);
      // What others wrote after it may have been heard of before this answer.
      if (code < 300 && this.#reports.has(uid) && isContradicted(report)) this.report(report.pod, report.next);
      return true;
    } catch {
      return false;
    }
  }
}

/** A change of the phase or of readiness. */
function isUrgent({ pod, next, acknowledged }: Report): boolean {
  const told = acknowledged ?? pod.status;
  return told?.phase !== next.phase || readiness(told) !== readiness(next);
}

const readiness = (status: CoreV1PodStatus | undefined): string =>
  status?.conditions?.find(({ type }) => type === "Ready")?.status ?? "False";

/**
 * Others have written since of the pod what only its node knows: a node that was not Ready has its pods marked so, and a
 * cluster that was restored from a backup says what was true then.
 */
function isContradicted({ pod, acknowledged, revision }: Report): boolean {
  if (!acknowledged || revisionOf(pod) < revision) return false;
  if (livesOf(pod.status) !== livesOf(acknowledged)) return true;
  const served = new Map(pod.status?.conditions?.map(({ type, status }) => [type, status]));
  return acknowledged.conditions?.some(({ type, status }) => served.has(type) && served.get(type) !== status) ?? false;
}

/** Which containers run, or ran last. */
const livesOf = (status: CoreV1PodStatus | undefined): string =>
  (status?.containerStatuses ?? [])
    .map(({ name, containerID, restartCount }) => `${name} ${containerID} ${restartCount}`)
    .toSorted()
    .join();

const revisionOf = (pod: CoreV1Pod | null): number => Number(pod?.metadata?.resourceVersion ?? 0);

const isSame = ({ acknowledged, next }: Report) => JSON.stringify(acknowledged) === JSON.stringify(next);
