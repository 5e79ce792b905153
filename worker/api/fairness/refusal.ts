/** Thrown for a request whose queue is full, or that has waited too long: answered in plain text, as upstream does. */
export class TooManyRequests extends Error {
  override readonly name = "TooManyRequests";
  /** When to try again, in seconds. */
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    super("Too many requests, please try again later.");
    this.retryAfter = retryAfter;
  }
}
