import type { Kind } from "../../kinds/kind.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Txn } from "../../storage/store.ts";
import type { ApiRequest, User, Verb } from "../request.ts";
import { normalize } from "./body.ts";
import type { Core, Loose } from "./core.ts";
import { createObject } from "./create.ts";
import type { WriteOptions } from "./options.ts";

/** How controllers write: as service accounts of kube-system, and under kube-controller-manager's name. */
const CONTROLLER_OPTIONS: WriteOptions = {
  dryRun: false,
  fieldManager: "kube-controller-manager",
  fieldValidation: "Ignore",
  force: false,
};

/** Controllers that run within kube-apiserver elsewhere, and write under its name. */
const WITHIN_APISERVER = /^(apiservice|available|cluster_authentication_trust|crd|kubernetes-endpoints)/;

/** How a controller writes. */
export const optionsOf = (controller: string): WriteOptions =>
  WITHIN_APISERVER.test(controller) ? { ...CONTROLLER_OPTIONS, fieldManager: "kube-apiserver" } : CONTROLLER_OPTIONS;

/** As whom a controller asks. */
export const controllerUser = (controller: string): User => ({
  name: `system:serviceaccount:kube-system:${controller}`,
  groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
});

/** A request as that controller. */
export const requestOf = (
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
  userAgent: CONTROLLER_OPTIONS.fieldManager,
});

/** Intents may share parts with the view, and the pipeline changes what it is given. */
export const copy = (object: KubeObject): Loose => JSON.parse(JSON.stringify(object)) as Loose;

export function createAs(core: Core, txn: Txn, kind: Kind, object: KubeObject, controller: string): string {
  const warnings: string[] = [];
  const made = normalize(core.kinds, kind, copy(object), "Ignore", warnings);
  const request = requestOf("create", kind, { namespace: made.metadata?.namespace ?? "", name: "" }, controller);
  return createObject(core, txn, request, optionsOf(controller), made, warnings);
}
