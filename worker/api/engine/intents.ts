import type { Intent } from "../../controllers/controller.ts";
import type { Kind } from "../../kinds/kind.ts";
import type { KubeObject } from "../../lib/object.ts";
import { notFound } from "../../lib/status.ts";
import type { Txn } from "../../storage/store.ts";
import type { ApiRequest, User, Verb } from "../request.ts";
import { bindPod } from "./binding.ts";
import { normalize } from "./body.ts";
import type { Core, Loose } from "./core.ts";
import { createObject } from "./create.ts";
import { removeObject } from "./delete.ts";
import { recordEvent } from "./events.ts";
import type { WriteOptions } from "./options.ts";
import { keyOf, subjectOf } from "./stored.ts";
import { updateObject } from "./update.ts";

/** What controllers decided, written through the same pipeline as what users send; only authorization is not asked. */
export type Applied = Exclude<Intent, { do: "again" }>;

export function applyIntent(core: Core, intent: Applied, controller: string): void {
  core.store.write((txn) => {
    switch (intent.do) {
      case "create":
        return void create(core, txn, intent, controller);
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

type IntentTo<Do extends Applied["do"]> = Extract<Applied, { do: Do }>;

const OPTIONS: WriteOptions = {
  dryRun: false,
  fieldManager: "kube-controller-manager",
  fieldValidation: "Ignore",
  force: false,
};

export const controllerUser = (controller: string): User => ({
  name: `system:serviceaccount:kube-system:${controller}`,
  groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
});

const requestOf = (
  verb: Verb,
  kind: Kind,
  key: { namespace: string; name: string },
  controller: string,
): ApiRequest => ({
  verb,
  kind,
  namespace: key.namespace,
  name: key.name,
  subresource: "",
  user: controllerUser(controller),
  query: new URLSearchParams(),
  contentType: "application/json",
  body: undefined,
  userAgent: OPTIONS.fieldManager,
});

/** Intents may share parts with the view, and the pipeline changes what it is given. */
const copy = (object: KubeObject): Loose => JSON.parse(JSON.stringify(object)) as Loose;

const placeOf = ({ metadata }: KubeObject) => ({ namespace: metadata?.namespace ?? "", name: metadata?.name ?? "" });

export function create(
  core: Core,
  txn: Txn,
  { kind, object }: Omit<IntentTo<"create">, "do">,
  controller: string,
): string {
  const warnings: string[] = [];
  const made = normalize(core.kinds, kind, copy(object), "Ignore", warnings);
  const request = requestOf("create", kind, { namespace: made.metadata?.namespace ?? "", name: "" }, controller);
  return createObject(core, txn, request, OPTIONS, made, warnings);
}

function write(core: Core, txn: Txn, kind: Kind, object: KubeObject, subresource: string, controller: string): string {
  const place = placeOf(object);
  const stored = txn.get(keyOf(kind, place.namespace, place.name));
  if (!stored) throw notFound(subjectOf(kind, place.name));
  const warnings: string[] = [];
  const made = normalize(core.kinds, kind, copy(object), "Ignore", warnings);
  const request = { ...requestOf("update", kind, place, controller), subresource };
  return updateObject(core, txn, request, OPTIONS, made, stored, warnings);
}

function remove(core: Core, txn: Txn, intent: IntentTo<"delete">, controller: string): void {
  const { kind, namespace, name, uid, gracePeriodSeconds, propagationPolicy } = intent;
  removeObject(core, txn, requestOf("delete", kind, { namespace, name }, controller), {
    preconditions: { uid },
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(propagationPolicy !== undefined && { propagationPolicy }),
  });
}
