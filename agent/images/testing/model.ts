import type { Effects } from "../../../worker/lib/effects.ts";
import type { Timers } from "../../effects.ts";
import type { InspectedImage, Runtime } from "../../runtime.ts";
import type { Fetching } from "../content.ts";
import type { RecordFiles } from "../records.ts";

export function memoryFiles(): RecordFiles {
  const files = new Map<string, string>();
  return {
    names: () => [...files.keys()],
    read: (name) => files.get(name),
    write: (name, text) => void files.set(name, text),
    remove: (name) => void files.delete(name),
  };
}

/** A clock for tests, which goes on when it is told to. */
export class TestClock implements Effects, Timers {
  #now = Date.UTC(2026, 0, 1);
  #uids = 0;
  readonly #waiting = new Set<{ at: number; body: () => void }>();

  now = () => this.#now;
  random = () => 0.5;
  uid = () => `uid-${this.#uids++}`;

  after = (ms: number, body: () => void) => {
    const waiting = { at: this.#now + ms, body };
    this.#waiting.add(waiting);
    return () => void this.#waiting.delete(waiting);
  };

  sleep = (ms: number) => new Promise<void>((resolve) => this.after(ms, resolve));

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const [next] = [...this.#waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#waiting.delete(next);
      this.#now = next.at;
      next.body();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

type Pull = {
  image: string;
  user: string | undefined;
  finish(): void;
  fail(message: string): void;
  signal?: AbortSignal;
};

/** A registry and what was pulled from it, of which tests say how each pull goes. */
export class TestRuntime implements Pick<Runtime, "pull" | "inspectImage" | "fetching" | "fetch"> {
  readonly images = new Map<string, InspectedImage>();
  /** Those under way, in the order in which they began. */
  readonly pulls: Pull[] = [];
  pulled = 0;
  progress: Fetching | undefined;
  readonly artifacts = new Map<string, Awaited<ReturnType<NonNullable<Runtime["fetch"]>>>>();

  pull: Runtime["pull"] = (image, { credential, signal } = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const end = () => {
      if (this.pulls.includes(pull)) this.pulls.splice(this.pulls.indexOf(pull), 1);
    };
    const pull: Pull = {
      image,
      user: credential?.username,
      signal,
      finish: () => {
        end();
        this.pulled++;
        this.add(image);
        resolve();
      },
      fail: (message) => {
        end();
        reject(new Error(message));
      },
    };
    signal?.addEventListener("abort", () => pull.fail("The operation was aborted"));
    this.pulls.push(pull);
    return promise;
  };

  add(image: string, given: Partial<InspectedImage> = {}): void {
    this.images.set(image, { Id: `sha256:${image}`, RepoTags: [image], Size: 1000, ...given });
  }

  inspectImage = async (image: string) => this.images.get(image);
  fetching = () => this.progress;

  fetch: NonNullable<Runtime["fetch"]> = async (reference) => {
    const found = this.artifacts.get(reference);
    if (!found) throw new Error(`failed to resolve reference "${reference}": ${reference}: not found`);
    return found;
  };
}
