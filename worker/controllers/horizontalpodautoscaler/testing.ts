/** A cluster in memory whose pods use what a test says. */
import { Deployment } from "../../kinds/apps/deployment.ts";
import { HorizontalPodAutoscaler } from "../../kinds/autoscaling/horizontal-pod-autoscaler.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { Kind } from "../../kinds/kind.ts";
import { parseLabelSelector } from "../../lib/selector-parser.ts";
import { matchesRequirements } from "../../lib/selectors.ts";
import type { ApiError } from "../../lib/status.ts";
import { deploymentController } from "../deployment/deployment.ts";
import { replicaSetController } from "../replicaset/replicaset.ts";
import { Model } from "../testing.ts";
import type { Body } from "../testing-api.ts";
import { AUTOSCALER, horizontalPodAutoscaler } from "./horizontalpodautoscaler.ts";
import { type Answer, identityOf, type Question } from "./metrics.ts";
import { PERIOD_MS } from "./period.ts";

export type Spec = HorizontalPodAutoscaler["spec"];

/** What a metrics API answers; undefined as if nobody served it. */
export type Served = (question: Question) => Answer | undefined;

export class AutoscaledModel extends Model {
  readonly stored: Map<string, string>;
  /** Questions that were asked, a line each time. */
  readonly asked: Question[][];
  /** Refuses updates before they happen, as a webhook would. */
  refuseUpdates: (kind: Kind) => ApiError | undefined = () => undefined;
  readonly #settings: { served: Served; cpu: string };

  constructor() {
    const stored = new Map<string, string>();
    const asked: Question[][] = [];
    const settings = { served: (() => undefined) as Served, cpu: "0" };
    const answer = (question: Question) => settings.served(question) ?? this.#measured(question);
    super([
      deploymentController,
      replicaSetController,
      horizontalPodAutoscaler({
        measure: (_, __, questions) => {
          asked.push([...questions]);
          return new Map(questions.map((question) => [identityOf(question), answer(question)]));
        },
        memories: {
          recall: (key) => stored.get(key),
          remember: (key, text) => void (text === undefined ? stored.delete(key) : stored.set(key, text)),
        },
      }),
    ]);
    this.stored = stored;
    this.asked = asked;
    this.#settings = settings;
    this.addNode("node-a", { cpu: "1000", memory: "1000Gi", pods: "1000" });
  }

  protected override updateObject(kind: Kind, given: Body, subresource: string): void {
    const refusal = subresource === "scale" ? this.refuseUpdates(kind) : undefined;
    if (refusal) throw refusal;
    super.updateObject(kind, given, subresource);
  }

  /** What metrics APIs answer from now on. */
  serve(served: Served): void {
    this.#settings.served = served;
  }

  /** What each pod uses from now on, in thousandths of a processor. */
  use(milliCpu: number): void {
    this.#settings.cpu = `${milliCpu}m`;
  }

  #measured(question: Question): Answer {
    if (question.api !== "resource") return { failed: "nobody serves it" };
    const selector = parseLabelSelector(question.selector);
    const running = this.list(Pod).filter(
      ({ metadata, status }) => status?.phase === "Running" && matchesRequirements(selector, metadata.labels),
    );
    return {
      pods: running.map(({ metadata: { name = "" } }) => ({
        name,
        at: this.now,
        windowMs: 10_000,
        containers: [{ name: "c", usage: { cpu: this.#settings.cpu, memory: "64Mi" } }],
      })),
    };
  }

  deploy(replicas: number, name = "web"): void {
    const labels = { app: name };
    const containers = [{ name: "c", image: "web", resources: { requests: { cpu: "100m", memory: "128Mi" } } }];
    this.create(Deployment, {
      metadata: { name, namespace: "default" },
      spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
    });
    this.settle();
  }

  autoscale(spec: Partial<Spec> = {}, name = "web"): void {
    const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
    this.create(HorizontalPodAutoscaler, {
      metadata: { name, namespace: "default" },
      spec: { minReplicas: 1, maxReplicas: 10, metrics: [byCpu(50)], scaleTargetRef, ...spec },
    });
    this.rest();
  }

  /** Pods are bound and start, as soon as there are any. */
  settle(): void {
    this.rest();
    for (const pod of this.list(Pod))
      if (!pod.spec.nodeName)
        this.apply({
          do: "bind",
          namespace: "default",
          name: pod.metadata.name ?? "",
          uid: pod.metadata.uid ?? "",
          node: "node-a",
        });
    this.runPods();
    for (const pod of this.list(Pod))
      if (!pod.status?.startTime)
        this.edit(
          Pod,
          pod,
          (copy) => {
            copy.status = { ...copy.status, startTime: new Date(this.now - 600_000).toISOString() };
          },
          "status",
        );
    this.rest();
  }

  /** Lets so many looks of the autoscaler pass, and pods come and go between. */
  look(times = 1): void {
    for (let time = 0; time < times; time++) {
      this.advance(PERIOD_MS);
      this.settle();
    }
  }

  get replicas(): number | undefined {
    return this.get(Deployment, "web")?.spec?.replicas;
  }

  hpa(name = "web"): HorizontalPodAutoscaler {
    const found = this.get(HorizontalPodAutoscaler, name);
    if (!found) throw new Error(`no autoscaler ${name}`);
    return found;
  }

  /** `ScalingActive=True ValidMetricFound`, without the message. */
  conditions(name = "web"): string[] {
    return (this.hpa(name).status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);
  }

  message(type: string, name = "web"): string | undefined {
    return this.hpa(name).status?.conditions?.find((condition) => condition.type === type)?.message;
  }

  get told(): string[] {
    return this.events
      .filter(({ controller }) => controller === AUTOSCALER)
      .map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
  }
}

export const byCpu = (averageUtilization: number): NonNullable<Spec["metrics"]>[number] => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization } },
});
