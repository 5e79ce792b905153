/** A watcher that replays what it was told has what a list at the same revision has. */
import { read } from "../../../worker/kinds/paths.ts";
import type { KubeObject } from "../../../worker/lib/object.ts";
import type { Observation } from "../contract.ts";
import { type Entry, firstAfter, nameOf, type Step } from "./history.ts";
import type { Rule, Scene } from "./rule.ts";

type Opened = Extract<Observation, { type: "watch-opened" }>;
type Told = Extract<Observation, { type: "watch-event" }>;
type Event = Pick<Told, "event" | "object">;

const INITIAL_END = "k8s.io/initial-events-end";

/** Terms of equality, as the workload uses them: `app=web,tier=front`, `spec.nodeName=n1`. */
function selection({ labelSelector, fieldSelector }: Opened): (object: Readonly<KubeObject>) => boolean {
  const terms = (text = "") =>
    text
      .split(",")
      .filter((term) => term !== "")
      .map((term) => term.split("=") as [string, string]);
  const labels = terms(labelSelector);
  const fields = terms(fieldSelector);
  return (object) =>
    labels.every(([key, value]) => object.metadata?.labels?.[key] === value) &&
    fields.every(([path, value]) => (read(object, path) ?? "") === value);
}

/** Every change of its scope, each once, in order, and none that is not in the history. */
export const watchesTellAll: Rule = {
  rule: "watches-tell-all",
  start(scene) {
    const open = new Map<number, Stream>();
    return {
      seen(observation) {
        switch (observation.type) {
          case "watch-opened": {
            const from = observation.from;
            const isKnown = from !== "" && from !== "0" && Number(from) >= scene.history.start;
            open.set(observation.watch, isKnown ? new Ordered(scene, observation) : new Listed(scene, observation));
            return;
          }
          case "watch-event":
            if (observation.event === "ERROR") return checkExpired(scene, open.get(observation.watch), observation);
            return open.get(observation.watch)?.told(observation);
          case "watch-closed":
            open.delete(observation.watch);
        }
      },
      rested() {
        for (const stream of open.values()) stream.rested();
      },
    };
  },
};

function checkExpired({ truth, fail }: Scene, stream: Stream | undefined, { object, watch }: Told): void {
  const { code, message } = object as { code?: number; message?: string };
  if (code !== 410) fail(`watch ${watch} ended with ${code}: ${message}`);
  const { horizon } = truth.storage();
  if (stream && stream.from >= horizon)
    fail(`watch ${watch} from ${stream.from} expired, and the log has all after ${horizon}`);
}

abstract class Stream {
  readonly from: number;
  protected readonly scene: Scene;
  protected readonly opened: Opened;
  protected readonly selects: (object: Readonly<KubeObject>) => boolean;

  constructor(scene: Scene, opened: Opened) {
    this.scene = scene;
    this.opened = opened;
    this.from = Number(opened.from);
    this.selects = selection(opened);
  }

  abstract told(event: Event): void;
  /** Everything has been told by now. */
  abstract rested(): void;

  protected fail(problem: string): never {
    const { watch, resource, namespace, from } = this.opened;
    return this.scene.fail(
      `watch ${watch} of ${resource} in ${namespace ?? "all namespaces"} from ${from || "now"} ${problem}`,
    );
  }

  protected covers(step: Pick<Step, "namespace">): boolean {
    return !this.opened.namespace || step.namespace === this.opened.namespace;
  }
}

/** A watch from a known revision: what it must be told is known word by word. */
class Ordered extends Stream {
  /** In the steps of its resource: the first that it may still be told. */
  #position: number;

  constructor(scene: Scene, opened: Opened) {
    super(scene, opened);
    this.#position = firstAfter(scene.history.steps(opened.resource), this.from);
  }

  told({ event, object }: Event): void {
    const revision = Number(object.metadata?.resourceVersion);
    if (event === "BOOKMARK") {
      const next = this.#peek();
      if (next && next.step.revision <= revision)
        this.fail(`is at ${revision}, and was not told of ${next.step.revision}`);
      return;
    }
    const next = this.#peek();
    if (!next) return this.fail(`was told of ${event} at ${revision}, which is nothing new`);
    const { step, type } = next;
    if (step.revision !== revision || type !== event)
      this.fail(`was told of ${event} at ${revision} where ${type} at ${step.revision} came`);
    if (step.uid !== object.metadata?.uid)
      this.fail(`was told of ${object.metadata?.uid} at ${revision}, not ${step.uid}`);
    // What leaves a selection is told as it was last in it.
    if (type === step.type && !isSame(step, object))
      this.fail(`was told of another body at ${revision} than was committed`);
    this.#position += 1;
  }

  rested(): void {
    const next = this.#peek();
    if (next) this.fail(`was never told of ${next.type} at ${next.step.revision}`);
  }

  #peek(): { step: Step; type: "ADDED" | "MODIFIED" | "DELETED" } | undefined {
    const steps = this.scene.history.steps(this.opened.resource);
    for (; this.#position < steps.length; this.#position++) {
      const step = steps[this.#position] as Step;
      const type = this.covers(step) ? this.#transition(step) : undefined;
      if (type) return { step, type };
    }
    return undefined;
  }

  #transition({ type, object, old }: Step): "ADDED" | "MODIFIED" | "DELETED" | undefined {
    const was = old !== undefined && this.selects(old);
    const is = type !== "DELETED" && this.selects(object);
    if (is) return was ? "MODIFIED" : "ADDED";
    return was ? "DELETED" : undefined;
  }
}

/** A watch that begins with what there is: of which revision that was, it is told at its first bookmark, if ever. */
class Listed extends Stream {
  readonly #known = new Map<string, number>();

  told({ event, object }: Event): void {
    const { namespace = "", name = "", resourceVersion, annotations } = object.metadata ?? {};
    const revision = Number(resourceVersion);
    if (event === "BOOKMARK") {
      if (revision >= this.scene.history.start)
        this.#compare(
          this.scene.history.snapshot(this.opened.resource, this.opened.namespace, revision),
          annotations?.[INITIAL_END] ? "after the initial events" : "at a bookmark",
        );
      return;
    }
    const key = nameOf({ namespace, name });
    const before = this.#known.get(key);
    if (before !== undefined && before >= revision) this.fail(`was told of ${key} at ${revision} after ${before}`);
    const step = this.scene.history.stepAt(revision);
    if (revision > this.scene.history.start && step?.uid !== object.metadata?.uid)
      this.fail(`was told of ${key} at ${revision}, which no commit has`);
    if (step && step.type === event && !isSame(step, object))
      this.fail(`was told of another body at ${revision} than was committed`);
    if (event === "DELETED") this.#known.delete(key);
    else this.#known.set(key, revision);
  }

  rested(): void {
    const entries = this.scene.history.all(this.opened.resource, this.opened.namespace);
    this.#compare(new Map(entries.map((entry) => [nameOf(entry), entry])), "at rest");
  }

  #compare(expected: Map<string, Entry>, when: string): void {
    let count = 0;
    for (const [key, { object, revision }] of expected) {
      if (!this.selects(object)) continue;
      count += 1;
      if (this.#known.get(key) !== revision)
        this.fail(`has ${key} of ${this.#known.get(key)} ${when}, not of ${revision}`);
    }
    if (count !== this.#known.size) this.fail(`has ${this.#known.size} objects ${when}, not ${count}`);
  }
}

/** Of two texts of one object, neither of which was rewritten, equality is that of the texts. */
const isSame = ({ json, object: committed }: Step, object: KubeObject): boolean =>
  object.apiVersion !== committed.apiVersion || JSON.stringify(object) === json;
