import type { Intent } from "../../controllers/controller.ts";
import type { Kind } from "../../kinds/kind.ts";
import type { KubeObject } from "../../lib/object.ts";
import { notFound } from "../../lib/status.ts";
import type { Txn } from "../../storage/store.ts";
import { CalloutsNeeded } from "../callouts/callouts.ts";
import { bindPod } from "./binding.ts";
import { normalize } from "./body.ts";
import { copy, createAs, optionsOf, requestOf } from "./controller-writes.ts";
import type { Core } from "./core.ts";
import { removeObject } from "./delete.ts";
import { recordEvent } from "./events.ts";
import { keyOf, subjectOf } from "./stored.ts";
import { updateObject } from "./update.ts";

/** What controllers decided, written through the same pipeline as what users send; only authorization is not asked. */
export type Applied = Exclude<Intent, { do: "again" }>;

export function applyIntent(core: Core, decided: Applied, controller: string): void {
  const intent = "kind" in decided ? { ...decided, kind: asServed(core, decided.kind) } : decided;
  core.store.write((txn) => {
    switch (intent.do) {
      case "together":
        return applyAll(core, intent.intents, controller);
      case "create":
        return void createAs(core, txn, intent.kind, intent.object, controller);
      case "update":
        return void write(core, txn, intent.kind, intent.object, intent.subresource ?? "", controller);
      case "updateStatus":
        return void write(core, txn, intent.kind, intent.object, "status", controller);
      case "delete":
        return remove(core, txn, intent, controller);
      case "bind":
        return bindPod(core, txn, intent);
      case "event":
        return recordEvent(core, txn, intent, controller);
    }
  });
}

/** What webhooks are to be asked of any of them is asked at once. */
function applyAll(core: Core, intents: readonly Applied[], controller: string): void {
  const callouts = intents.flatMap((intent, index) => {
    const attempt = core.attempt?.part(index);
    try {
      applyIntent(attempt ? { ...core, attempt, effects: attempt.effects } : core, intent, controller);
      return [];
    } catch (error) {
      if (!(error instanceof CalloutsNeeded)) throw error;
      return error.callouts;
    }
  });
  if (callouts.length > 0) throw new CalloutsNeeded(callouts);
}

/** While a webhook was asked, another definition of a custom kind may have come. */
const asServed = ({ kinds }: Core, kind: Kind): Kind => kinds.byKind(kind.apiVersion, kind.kind) ?? kind;

type IntentTo<Do extends Applied["do"]> = Extract<Applied, { do: Do }>;

const placeOf = ({ metadata }: KubeObject) => ({ namespace: metadata?.namespace ?? "", name: metadata?.name ?? "" });

function write(core: Core, txn: Txn, kind: Kind, object: KubeObject, subresource: string, controller: string): string {
  const place = placeOf(object);
  const stored = txn.get(keyOf(kind, place.namespace, place.name));
  if (!stored) throw notFound(subjectOf(kind, place.name));
  const warnings: string[] = [];
  const made = normalize(core.kinds, kind, copy(object), "Ignore", warnings);
  const request = { ...requestOf("update", kind, place, controller), subresource };
  return updateObject(core, txn, request, optionsOf(controller), made, stored, warnings);
}

function remove(core: Core, txn: Txn, intent: IntentTo<"delete">, controller: string): void {
  const { kind, namespace, name, uid, gracePeriodSeconds, propagationPolicy } = intent;
  removeObject(core, txn, requestOf("delete", kind, { namespace, name }, controller), {
    preconditions: { uid },
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(propagationPolicy !== undefined && { propagationPolicy }),
  });
}
