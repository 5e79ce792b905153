/** What is wrong with an expression, or why it has no value. */
export class CelError extends Error {
  override readonly name: string = "CelError";
}

/** An evaluation was given up: it took more than it may. No operator absorbs it. */
export class CostExceeded extends CelError {
  override readonly name = "CostExceeded";

  constructor() {
    super("operation cancelled: actual cost limit exceeded");
  }
}
