import type { KubeObject } from "../../lib/object.ts";

/**
 * Which of those that change what is written are asked again after others have changed it.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#reinvocation-policy
 */
export class Reinvocation {
  private isAgain = false;
  /** Asked since the last change: due again after the next. */
  private readonly invoked = new Set<string>();
  private readonly due = new Set<string>();
  private output: string | undefined;

  /** The object as these left it. */
  end(object: KubeObject): void {
    if (this.invoked.size) this.output = JSON.stringify(object);
  }

  /** From here on only those are asked that are due; all may be, where something else has changed the object. */
  beginAgain(object: KubeObject): void {
    this.isAgain = true;
    if (this.output !== undefined && this.output !== JSON.stringify(object)) this.noteChange();
  }

  isTurnOf(key: string): boolean {
    return !this.isAgain || this.due.has(key);
  }

  /** One that wants to be asked again; noted after the change that it made itself. */
  noteInvoked(key: string): void {
    this.invoked.add(key);
  }

  noteChange(): void {
    for (const key of this.invoked) this.due.add(key);
    this.invoked.clear();
  }
}
