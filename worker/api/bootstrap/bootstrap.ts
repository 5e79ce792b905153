/**
 * A cluster's first objects, and the repair of its default roles when a new release brings new permissions.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation
 */
import type { Kinds } from "../../kinds/registry.ts";
import type { ClusterConfig } from "../../lib/config.ts";
import type { Effects } from "../../lib/effects.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Store } from "../../storage/store.ts";
import type { RbacSubject } from "../auth/rbac.ts";
import { type PolicyRule, uncovered } from "../auth/rules.ts";
import type { ApiEngine } from "../parts.ts";
import type { ApiRequest, User, Verb } from "../request.ts";
import { bootstrapObjects } from "./objects.ts";

/** Moves when the objects change: then every cluster is looked over once more. */
const VERSION = "2";
const SETTING = "bootstrap.version";
const AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate";

const APISERVER: User = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };

type Loose = KubeObject & {
  status?: unknown;
  rules?: PolicyRule[] | null;
  aggregationRule?: unknown;
  subjects?: RbacSubject[];
};

export type BootstrapParts = {
  store: Store;
  kinds: Kinds;
  engine: Pick<ApiEngine, "handle">;
  config: ClusterConfig;
  effects: Pick<Effects, "now">;
};

/** Creates what is missing, all or nothing. Does nothing in a cluster that this release has seen already. */
export function bootstrap(parts: BootstrapParts): void {
  const { store, config, effects } = parts;
  if (store.getSetting(SETTING) === VERSION) return;
  store.write(() => {
    for (const wanted of bootstrapObjects(config, effects.now())) ensure(parts, wanted);
    store.setSetting(SETTING, VERSION);
  });
}

function ensure(parts: BootstrapParts, wanted: Loose): void {
  const { kinds, store } = parts;
  const kind = kinds.byKind(wanted.apiVersion ?? "", wanted.kind ?? "");
  // A build without this kind has no use for the object either.
  if (!kind) return;
  const { name = "", namespace = "" } = wanted.metadata ?? {};
  const place = { kind, namespace, name };
  const stored = store.get({ resource: kind.groupResource, namespace, name });
  if (!stored) {
    const created = write(parts, "create", { ...place, name: "" }, wanted);
    if (wanted.status)
      write(parts, "update", { ...place, subresource: "status" }, { ...created, status: wanted.status } as Loose);
    return;
  }
  const current = JSON.parse(stored.json) as Loose;
  if (current.metadata?.annotations?.[AUTOUPDATE] !== "true") return;
  const repaired = repair(current, wanted);
  if (repaired) write(parts, "update", place, repaired);
}

const sameSubject = (a: RbacSubject, b: RbacSubject) =>
  a.kind === b.kind && a.name === b.name && (a.namespace ?? "") === (b.namespace ?? "");

/** The object with the permissions and subjects that it lacks; undefined when it lacks none. */
function repair(current: Loose, wanted: Loose): Loose | undefined {
  const rules = wanted.aggregationRule ? [] : uncovered(current.rules ?? [], wanted.rules ?? []);
  const subjects = (wanted.subjects ?? []).filter(
    (subject) => !(current.subjects ?? []).some((known) => sameSubject(known, subject)),
  );
  if (rules.length) return { ...current, rules: [...(current.rules ?? []), ...rules] };
  if (subjects.length) return { ...current, subjects: [...(current.subjects ?? []), ...subjects] };
  return undefined;
}

function write(
  { engine }: BootstrapParts,
  verb: Verb,
  place: Pick<ApiRequest, "kind" | "namespace" | "name"> & { subresource?: string },
  object: Loose,
): Loose {
  const result = engine.handle({
    subresource: "",
    ...place,
    verb,
    user: APISERVER,
    query: new URLSearchParams(),
    contentType: "application/json",
    body: JSON.stringify(object),
    userAgent: "kube-apiserver",
  });
  if (result.type !== "object")
    throw new Error(`${verb} of ${object.kind} ${object.metadata?.name}: ${JSON.stringify(result)}`);
  return JSON.parse(result.json) as Loose;
}
