import type { CoreV1Container, CoreV1Probe } from "../../worker/kinds/generated/types.ts";
import { fieldsOf, type NodeContext, type PodState } from "./context.ts";
import type { Target, Verdict } from "./handler.ts";
import { type ContainerMemory, isRunning } from "./memory.ts";
import { isSidecar } from "./phase.ts";

export type ProbeKind = "startup" | "liveness" | "readiness";

const titles: Record<ProbeKind, string> = { startup: "Startup", liveness: "Liveness", readiness: "Readiness" };

const MOST_TRIES = 3;

/** Probe results in a row. */
export type Streak = { ok: boolean; length: number };

/** A result counts once it came so often in a row. Returns the new streak and what now holds, if anything. */
export function judge(
  streak: Streak | undefined,
  ok: boolean,
  probe: CoreV1Probe,
): { streak: Streak; verdict: boolean | undefined } {
  const length = streak?.ok === ok ? streak.length + 1 : 1;
  const needed = ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  return { streak: { ok, length }, verdict: length >= needed ? ok : undefined };
}

type Running = { attemptId: string; cancel(): void };

/**
 * Runs the probes of one pod's containers, each on its own clock, and writes what they find into the pod's memory.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes
 */
export class Prober {
  readonly #node: NodeContext;
  readonly #state: PodState;
  readonly #changed: () => void;
  readonly #running = new Map<string, Running>();

  /** `changed` is called when a verdict changed the pod. */
  constructor(node: NodeContext, state: PodState, changed: () => void) {
    this.#node = node;
    this.#state = state;
    this.#changed = changed;
  }

  /** Starts the probes that should run and ends those that should not; to be called whenever the pod changed. */
  update(): void {
    const wanted = new Set<string>();
    const { pod, memory, deleted } = this.#state;
    const probed = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers];
    for (const container of probed) {
      const known = memory.containers[container.name];
      if (!isRunning(known) || known.condemned) continue;
      for (const [kind, probe] of this.#due(container, known.started === true, deleted)) {
        const key = `${container.name} ${kind}`;
        wanted.add(key);
        if (this.#running.get(key)?.attemptId === known.current.id) continue;
        this.#running.get(key)?.cancel();
        this.#running.set(key, this.#start(container, kind, probe, known.current.id, known.current.startedAt));
      }
    }
    for (const [key, running] of this.#running)
      if (!wanted.has(key)) {
        running.cancel();
        this.#running.delete(key);
      }
  }

  stop(): void {
    for (const running of this.#running.values()) running.cancel();
    this.#running.clear();
  }

  /** The startup probe alone until it passed; a pod that ends is not restarted, but says still whether it is ready. */
  #due(container: CoreV1Container, started: boolean, deleted: boolean): [ProbeKind, CoreV1Probe][] {
    const due: [ProbeKind, CoreV1Probe][] = [];
    if (container.startupProbe && !started) {
      if (!deleted) due.push(["startup", container.startupProbe]);
    } else {
      if (container.livenessProbe && !deleted) due.push(["liveness", container.livenessProbe]);
      if (container.readinessProbe) due.push(["readiness", container.readinessProbe]);
    }
    return due;
  }

  #start(container: CoreV1Container, kind: ProbeKind, probe: CoreV1Probe, id: string, startedAt: number): Running {
    const { effects } = this.#node;
    const period = (probe.periodSeconds ?? 10) * 1000;
    const timeout = (probe.timeoutSeconds ?? 1) * 1000;
    let streak: Streak | undefined;
    let cancelled = false;
    let cancelTimer = () => {};
    const look = async () => {
      const begun = effects.now();
      const target = { container, containerId: id, ip: fieldsOf(this.#node, this.#state).podIPs[0] ?? "" };
      const result = await this.#ask(container, probe, target, timeout);
      const seconds = (effects.now() - begun) / 1000;
      this.#node.host.probed?.(this.#state, {
        type: titles[kind],
        result: result.errored ? "unknown" : result.ok ? "successful" : "failed",
        container: container.name,
        seconds,
      });
      if (cancelled) return;
      this.#tell(container, kind, result);
      if (!result.errored) {
        const judged = judge(streak, result.ok, probe);
        streak = judged.streak;
        this.#apply(container, kind, probe, judged.verdict);
      }
      if (!cancelled) cancelTimer = effects.after(Math.max(period - (effects.now() - begun), 0), look);
    };
    const first = startedAt + (probe.initialDelaySeconds ?? 0) * 1000;
    cancelTimer = effects.after(Math.max(first - effects.now(), 0), look);
    return {
      attemptId: id,
      cancel() {
        cancelled = true;
        cancelTimer();
      },
    };
  }

  /** What a failed probe ends; its restart policy alone says whether it starts anew, as it has no exit code yet. */
  #condemn(container: CoreV1Container, kind: ProbeKind, probe: CoreV1Probe): ContainerMemory["condemned"] {
    const { spec } = this.#state.pod;
    const graceSeconds = probe.terminationGracePeriodSeconds;
    const failed = `ontainer ${container.name} failed ${kind} probe`;
    if (spec.initContainers?.some(({ name }) => name === container.name))
      return { message: `Init c${failed}`, graceSeconds, again: true };
    const again = (container.restartPolicy ?? spec.restartPolicy) !== "Never";
    return { message: `C${failed}${again ? ", will be restarted" : ""}`, graceSeconds, again };
  }

  /** What could not be asked is asked again at once. */
  async #ask(container: CoreV1Container, probe: CoreV1Probe, target: Target, timeoutMs: number): Promise<Verdict> {
    for (let tries = 1; ; tries++) {
      const verdict = await this.#node.host.act(probe, target, timeoutMs, "probe");
      const still = this.#state.memory.containers[container.name]?.current;
      if (!verdict.errored || tries === MOST_TRIES || still?.id !== target.containerId || still.exit) return verdict;
    }
  }

  #tell(container: CoreV1Container, kind: ProbeKind, { ok, output, errored, warning }: Verdict): void {
    const say = (reason: string, message: string) =>
      this.#node.events.record(this.#state.pod, "Warning", reason, `${titles[kind]} probe ${message}`, container.name);
    if (warning) say("ProbeWarning", `warning: ${warning}`);
    if (ok) return;
    const how = errored ? "errored and resulted in unknown state" : "failed";
    say("Unhealthy", `${how}: ${output}`);
  }

  #apply(container: CoreV1Container, kind: ProbeKind, probe: CoreV1Probe, verdict: boolean | undefined): void {
    const memory = this.#state.memory.containers[container.name];
    if (!memory) return;
    if (verdict === undefined) return;
    if (kind === "readiness") {
      if (memory.ready === verdict) return;
      memory.ready = verdict;
    } else if (!verdict) {
      memory.condemned = this.#condemn(container, kind, probe);
    } else if (kind === "startup") memory.started = true;
    else return;
    this.#changed();
  }
}
