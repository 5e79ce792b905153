/** A cluster's first objects: made where they are missing, and repaired where something of them is. */
import type { Kinds } from "../../kinds/registry.ts";
import type { ClusterConfig } from "../../lib/config.ts";
import type { Effects } from "../../lib/effects.ts";
import type { Store } from "../../storage/store.ts";
import type { ApiEngine } from "../parts.ts";
import type { ApiRequest, User, Verb } from "../request.ts";
import { bootstrapObjects, type Given, givenObjects } from "./objects.ts";
import { type Loose, repair } from "./reconcile.ts";

/** Moves when the objects change: then all are looked at once more, whether or not they have changed themselves. */
const VERSION = "3";
/** `VERSION:REVISION`: what was looked at last, and when. */
const SETTING = "bootstrap.version";

const APISERVER: User = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };

export type BootstrapParts = {
  store: Store;
  kinds: Kinds;
  engine: Pick<ApiEngine, "handle">;
  config: ClusterConfig;
  effects: Pick<Effects, "now">;
};

/** All or nothing. Parses only what was written since the last look, and writes only what is not as it should be. */
export function bootstrap(parts: BootstrapParts): void {
  const { store, config, effects } = parts;
  const [version, revision] = (store.getSetting(SETTING) ?? "").split(":");
  const isKnown = version === VERSION;
  const since = isKnown ? Number(revision) : 0;
  store.write(() => {
    const before = store.revision();
    for (const wanted of bootstrapObjects(config, effects.now())) ensure(parts, wanted, since);
    if (config.controllers) for (const given of givenObjects) give(parts, given);
    if (!isKnown || store.revision() > before) store.setSetting(SETTING, `${VERSION}:${store.revision()}`);
  });
}

/** Once: it is the user's from then on, to be changed or deleted. */
function give(parts: BootstrapParts, { setting, first, beside }: Given): void {
  const { kinds, store } = parts;
  const kind = kinds.byKind(first.apiVersion ?? "", first.kind ?? "");
  if (!kind || store.getSetting(setting)) return;
  const { items } = store.list({ resource: kind.groupResource }, { limit: 1 });
  const wanted = items.length === 0 ? first : beside;
  const isThere = (name: string) => store.get({ resource: kind.groupResource, namespace: "", name }) !== undefined;
  if (wanted && !isThere(wanted.metadata?.name ?? ""))
    write(parts, "create", { kind, namespace: "", name: "" }, wanted);
  store.setSetting(setting, "given");
}

function ensure(parts: BootstrapParts, wanted: Loose, since: number): void {
  const { kinds, store } = parts;
  const kind = kinds.byKind(wanted.apiVersion ?? "", wanted.kind ?? "");
  // A build without this kind has no use for the object either.
  if (!kind) return;
  const { name = "", namespace = "" } = wanted.metadata ?? {};
  const place = { kind, namespace, name };
  const stored = store.get({ resource: kind.groupResource, namespace, name });
  if (!stored) return make(parts, place, wanted);
  if (stored.revision <= since) return;
  const found = repair(JSON.parse(stored.json) as Loose, wanted);
  if (!found) return;
  if (!found.anew) return void write(parts, "update", place, found.object);
  write(parts, "delete", place);
  make(parts, place, wanted);
}

type Place = Pick<ApiRequest, "kind" | "namespace" | "name">;

function make(parts: BootstrapParts, place: Place, wanted: Loose): void {
  const created = write(parts, "create", { ...place, name: "" }, wanted);
  if (wanted.status)
    write(parts, "update", { ...place, subresource: "status" }, { ...created, status: wanted.status } as Loose);
}

/** Under whose name kube-apiserver writes. */
const managerOf = (group: string): string =>
  group === "flowcontrol.apiserver.k8s.io" ? "api-priority-and-fairness-config-producer-v1" : "kube-apiserver";

function write({ engine }: BootstrapParts, verb: Verb, place: Place & { subresource?: string }, object?: Loose): Loose {
  const result = engine.handle({
    subresource: "",
    ...place,
    verb,
    user: APISERVER,
    query: new URLSearchParams(),
    contentType: "application/json",
    body: object && JSON.stringify(object),
    userAgent: managerOf(place.kind.group),
  });
  if (result.type === "object") return JSON.parse(result.json) as Loose;
  if (result.code === 200) return {} as Loose;
  throw new Error(`${verb} of ${place.kind.kind} ${place.name}: ${JSON.stringify(result)}`);
}
