import { webhookCondition } from "../../../kinds/admissionregistration/expressions.ts";
import type { Kind } from "../../../kinds/kind.ts";
import { readJsonPatch } from "../../../kinds/patch/json-patch.ts";
import { same } from "../../../kinds/paths.ts";
import { CelError, type Program } from "../../../lib/cel/program.ts";
import { errorText } from "../../../lib/error-text.ts";
import type { KubeObject } from "../../../lib/object.ts";
import { badRequest, forbidden, internalError } from "../../../lib/status.ts";
import { answersTo, type Callout, type CalloutAnswer } from "../../callouts/callouts.ts";
import type { Loose } from "../../engine/core.ts";
import type { Operation } from "../../engine/operation.ts";
import { subjectOf } from "../../engine/stored.ts";
import { type Admission, annotate } from "../admission.ts";
import { conditionsHold } from "../policies/conditions.ts";
import { admissionVariables } from "../policies/variables.ts";
import type { Reinvocation } from "../reinvocation.ts";
import { replaceObject } from "./change.ts";
import type { Hook } from "./hooks.ts";
import { kindFor } from "./matching.ts";
import { callFailure, denial, question, seenAs, type Verdict, verdict, WebhookFailed } from "./review.ts";

/**
 * Asks the webhooks that may change what is written, one after another; whether one has.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
 */
export function mutateByWebhooks(operation: Operation, reinvocation: Reinvocation): boolean {
  let changed = false;
  for (const hook of operation.core.hooks?.mutating() ?? []) {
    const kind = reinvocation.isTurnOf(hook.id) && kindAsked(hook, operation);
    if (!kind) continue;
    const callout = ask(hook, kind, operation);
    const [answer] = answersTo(operation.core.attempt, [callout]);
    const said = heard(hook, callout, answer as CalloutAnswer, operation);
    if (said?.patch && change(hook, kind, operation, said.patch)) {
      changed = true;
      reinvocation.noteChange();
    }
    if (hook.reinvocationPolicy === "IfNeeded") reinvocation.noteInvoked(hook.id);
  }
  return changed;
}

/** Webhooks that may only refuse, all at once. */
export const validatingWebhooks: Admission = {
  name: "ValidatingAdmissionWebhook",
  admits(operation) {
    const hooks = operation.core.hooks?.validating() ?? [];
    if (hooks.length === 0) return;
    const asked = hooks.flatMap((hook) => {
      const kind = kindAsked(hook, operation);
      return kind ? [{ hook, callout: ask(hook, kind, operation) }] : [];
    });
    const callouts = asked.map(({ callout }) => callout);
    const answers = answersTo(operation.core.attempt, callouts);
    for (const [index, { hook, callout }] of asked.entries())
      heard(hook, callout, answers[index] as CalloutAnswer, operation);
  },
};

/** The version to ask about, where rules, selectors and conditions all match. */
function kindAsked(hook: Hook, operation: Operation): Kind | undefined {
  const kind = kindFor(hook, operation);
  if (!kind || !hook.matchConditions?.length) return kind;
  const conditions = hook.matchConditions.map(({ expression }) => ({ expression, ...conditionOf(expression) }));
  const { holds, error } = conditionsHold(conditions, admissionVariables(operation, kind), hook.failurePolicy);
  if (error !== undefined) throw forbidden(subjectOf(operation.kind, operation.name), error);
  return holds ? kind : undefined;
}

function conditionOf(expression: string): { program?: Program; problem?: string } {
  try {
    return { program: webhookCondition(expression) };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return { problem: error.message };
  }
}

function ask(hook: Hook, kind: Kind, operation: Operation): Callout {
  const { object, old, action, dryRun } = operation;
  if (dryRun && hook.sideEffects !== "None" && hook.sideEffects !== "NoneOnDryRun")
    throw badRequest(`admission webhook ${JSON.stringify(hook.name)} does not support dry run`);
  return question(hook, kind, operation, {
    object: action === "DELETE" ? null : action === "CONNECT" ? object : seenAs(kind, object),
    old: old ? seenAs(kind, old) : null,
  });
}

/** Throws the refusal; undefined when the webhook failed and may. */
function heard(hook: Hook, callout: Callout, answer: CalloutAnswer, operation: Operation): Verdict | undefined {
  try {
    const said = verdict(answer, callout);
    for (const [key, value] of Object.entries(said.auditAnnotations)) annotate(operation, `${hook.name}/${key}`, value);
    operation.warnings.push(...said.warnings);
    if (!said.allowed) throw denial(hook, said.status);
    return said;
  } catch (error) {
    if (!(error instanceof WebhookFailed)) throw error;
    if (hook.failurePolicy === "Ignore") return undefined;
    throw callFailure(hook, error);
  }
}

/** Applies a webhook's patch to the object in place; whether that changed it. */
function change(hook: Hook, kind: Kind, operation: Operation, patch: string): boolean {
  const { object, action } = operation;
  if (action === "DELETE")
    throw internalError(
      `admission webhook ${JSON.stringify(hook.name)} attempted to modify the object, which is not supported for this operation`,
    );
  const before = seenAs(kind, object);
  const patched = patchedBy(patch, before) as Loose;
  if (same(patched, before)) return false;
  replaceObject(operation, kind, patched);
  return true;
}

function patchedBy(patch: string, object: KubeObject): unknown {
  try {
    return readJsonPatch(patch)(object);
  } catch (error) {
    throw internalError(errorText(error));
  }
}
