/** A cluster in memory whose nodes have seen what a test says. */
import { Deployment } from "../../kinds/apps/deployment.ts";
import { Service } from "../../kinds/core/service.ts";
import { CLASS_NAME, CONTROLLER } from "../../kinds/ingress/class.ts";
import { IDLE_ANNOTATION, SCALED_FROM_ANNOTATION, type Waker } from "../../kinds/ingress/idle.ts";
import type { Kind } from "../../kinds/kind.ts";
import { Ingress } from "../../kinds/networking/ingress.ts";
import { IngressClass } from "../../kinds/networking/ingress-class.ts";
import type { ApiError } from "../../lib/status.ts";
import { deploymentController } from "../deployment/deployment.ts";
import { replicaSetController } from "../replicaset/replicaset.ts";
import { Model } from "../testing.ts";
import type { Body } from "../testing-api.ts";
import { type Heard, SCALE_TO_ZERO, scaleToZero, type Wake } from "./scale-to-zero.ts";

export class IdleModel extends Model {
  readonly wakes: Map<string, Wake>;
  readonly asked: string[][];
  readonly stored: Map<string, string>;
  /** Refuses updates before they happen, as a webhook would. */
  refuseUpdates: (kind: Kind) => ApiError | undefined = () => undefined;
  readonly #said: { heard(): Partial<Heard>; later?: (key: string) => void };

  constructor(stored = new Map<string, string>()) {
    const wakes = new Map<string, Wake>();
    const asked: string[][] = [];
    const said: { heard(): Partial<Heard>; later?: (key: string) => void } = { heard: () => ({}) };
    const onTheWay = new Set<string>();
    let now = () => 0;
    super([
      deploymentController,
      replicaSetController,
      scaleToZero({
        ask(key, _, services) {
          if (said.later && !onTheWay.delete(key)) {
            onTheWay.add(key);
            said.later(key);
            return undefined;
          }
          asked.push([...services]);
          return { last: 0, by: new Set(["node-a"]), told: now(), ...said.heard() };
        },
        wakes,
        memories: {
          recall: (key) => stored.get(key),
          remember: (key, text) => void (text === undefined ? stored.delete(key) : stored.set(key, text)),
        },
      }),
    ]);
    now = () => this.now;
    this.wakes = wakes;
    this.asked = asked;
    this.stored = stored;
    this.#said = said;
    this.addNode("node-a");
    this.create(IngressClass, { metadata: { name: CLASS_NAME }, spec: { controller: CONTROLLER } });
  }

  protected override updateObject(kind: Kind, given: Body, subresource: string): void {
    const refusal = this.refuseUpdates(kind);
    if (refusal) throw refusal;
    super.updateObject(kind, given, subresource);
  }

  /** What nodes say from now on. */
  hear(heard: Partial<Heard> | (() => Partial<Heard>)): void {
    this.#said.heard = typeof heard === "function" ? heard : () => heard;
  }

  /** Answers come a moment after they were asked for, as nodes' do. */
  answerLater(): void {
    this.#said.later = (key) => this.driver.enqueue(SCALE_TO_ZERO, key);
  }

  deploy(replicas: number, name = "web", app = name): void {
    const labels = { app };
    const containers = [{ name: "c", image: "web" }];
    this.create(Deployment, {
      metadata: { name, namespace: "default" },
      spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
    });
  }

  serve(idle: string | undefined, name = "web", app = "web", clusterIP?: string): void {
    const annotations: Record<string, string> = idle === undefined ? {} : { [IDLE_ANNOTATION]: idle };
    this.create(Service, {
      metadata: { name, namespace: "default", annotations },
      spec: { selector: { app }, ports: [{ port: 80 }], ...(clusterIP && { clusterIP }) },
    });
  }

  lead(service = "web", ingressClassName = CLASS_NAME): void {
    const backend = { service: { name: service, port: { number: 80 } } };
    this.create(Ingress, {
      metadata: { name: service, namespace: "default" },
      spec: { ingressClassName, defaultBackend: backend },
    });
  }

  wake(service = "web", by?: Waker): void {
    this.wakes.set(`default/${service}`, { at: this.now, by });
    this.driver.enqueue(SCALE_TO_ZERO, `default/${service}`);
    this.rest();
  }

  scale(replicas: number, name = "web"): void {
    const found = this.get(Deployment, name);
    if (!found) throw new Error(`no ${name}`);
    this.edit(Deployment, found as Body & Deployment, (copy) => {
      copy.spec = { ...copy.spec, replicas } as Deployment["spec"];
    });
    this.rest();
  }

  replicas(name = "web"): number | undefined {
    return this.get(Deployment, name)?.spec?.replicas;
  }

  from(name = "web"): string | undefined {
    return this.get(Deployment, name)?.metadata.annotations?.[SCALED_FROM_ANNOTATION];
  }

  get told(): string[] {
    return this.events
      .filter(({ controller }) => controller === SCALE_TO_ZERO)
      .map(({ type, about, reason, message }) => `${type} ${about} ${reason}: ${message}`);
  }
}
