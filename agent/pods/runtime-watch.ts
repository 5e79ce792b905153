import type { AgentClock } from "../clock.ts";
import type { Runtime, RuntimeEvent } from "../runtime.ts";
import type { RecentExit, Told } from "./view.ts";

const RETRY_MS = 1_000;
const REMEMBERED = 1_024;

export type RuntimeWatchDeps = {
  runtime: Runtime;
  effects: AgentClock;
  onExit(containerId: string): void;
  /** Images came or went. */
  onImages?(): void;
  /** Events may have been lost. */
  onGap(): void;
};

/** Listens to the runtime's events, again whenever they end, and remembers the last ones. */
export class RuntimeWatch implements Told {
  readonly oomed = new Set<string>();
  readonly exits = new Map<string, RecentExit>();
  readonly #deps: RuntimeWatchDeps;
  #stopped = false;
  #stopEvents = () => {};

  constructor(deps: RuntimeWatchDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { runtime, effects, onGap } = this.#deps;
    this.#stopEvents = runtime.events(
      (event) => this.#take(event),
      () =>
        effects.after(RETRY_MS, () => {
          if (this.#stopped) return;
          this.start();
          onGap();
        }),
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#stopEvents();
  }

  #take({ topic, payload }: RuntimeEvent): void {
    const id = String(payload.container_id ?? "");
    if (topic === "/tasks/oom") {
      this.oomed.add(id);
      trim(this.oomed);
    }
    if (topic.startsWith("/images/")) this.#deps.onImages?.();
    if (topic !== "/tasks/exit" || payload.id !== id) return; // the end of an exec is not the container's
    this.exits.set(id, { code: Number(payload.exit_status ?? 0), at: this.#deps.effects.now() });
    trim(this.exits);
    this.#deps.onExit(id);
  }
}

/** The oldest go first. */
function trim(collection: Set<string> | Map<string, unknown>): void {
  for (const key of collection.keys()) {
    if (collection.size <= REMEMBERED) return;
    collection.delete(key);
  }
}
