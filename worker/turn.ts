/**
 * Group commit: everything that arrives in one event-loop turn runs in one synchronous stretch, and so in one
 * implicit transaction of the platform, with one fsync. Replies are released when the platform has made it durable.
 */
type Waiting = { body: () => unknown; resolve(value: unknown): void; reject(error: unknown): void };

export class Turn {
  private readonly waiting: Waiting[] = [];
  private readonly defer: (body: () => void) => void;
  /** Brings the cluster to rest after the bodies, within the turn. */
  private readonly settle: () => void;

  constructor(options: { defer(body: () => void): void; settle(): void }) {
    this.defer = options.defer;
    this.settle = options.settle;
  }

  /** Runs `body` in the next turn; a throw is its own caller's alone. */
  run<T>(body: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.waiting.push({ body, resolve: resolve as (value: unknown) => void, reject });
      if (this.waiting.length === 1) this.defer(() => this.flush());
    });
  }

  private flush(): void {
    const answers = this.waiting.splice(0).map(({ body, resolve, reject }) => {
      try {
        const value = body();
        return () => resolve(value);
      } catch (error) {
        return () => reject(error);
      }
    });
    try {
      this.settle();
    } finally {
      for (const answer of answers) answer();
    }
  }
}
