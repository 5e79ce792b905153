import type { Kind } from "../../kinds/kind.ts";
import { isTrue } from "../../lib/query.ts";
import { badRequest, expired, notFound } from "../../lib/status.ts";
import type { Reader, StoredObject } from "../../storage/store.ts";
import type { ApiRequest, ApiResult, ListMeta } from "../request.ts";
import { decodeToken, encodeToken, MAX_SNAPSHOT_AGE_MS } from "./continue-token.ts";
import { storageResource } from "./conversions.ts";
import type { Core } from "./core.ts";
import { current, isReadAsStored } from "./hooks.ts";
import { wholeNumber } from "./options.ts";
import { nodeRef } from "./refs.ts";
import { parseSelection, pinned, type Selection, selectsAll, selectsStored } from "./selection.ts";
import { isBuiltIn, keyOf, opening, subjectOf } from "./stored.ts";
import { checkListQuery, checkReached, parseListRevision, parseRevision } from "./versions.ts";
import { needConverted } from "./webhook-conversion.ts";

export function get(core: Core, { kind, namespace, name, query }: ApiRequest): ApiResult {
  checkReached(parseRevision(query.get("resourceVersion") ?? ""), core.store.revision());
  const found = core.store.get(keyOf(kind, namespace, name));
  const stored = current(core, kind, found ? [found] : []).find((object) => object.name === name);
  if (!stored) throw notFound(subjectOf(kind, name));
  return { type: "object", code: 200, kind, json: stored.json, warnings: [] };
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks */
export function list(core: Core, request: ApiRequest): ApiResult {
  const { kind, query } = request;
  const plan = listPlan(core, request);
  const now = core.effects.now();
  const isOld = plan.at !== undefined && plan.since !== undefined && now - plan.since > MAX_SNAPSHOT_AGE_MS;
  const whole = request.asBytes && !isOld ? joinedList(core, request, plan, now) : undefined;
  if (whole) return whole;
  const found = isOld ? "expired" : collect(core, request, plan);
  if (found === "expired") return expiredList(query.get("continue") ?? "");
  const metadata: ListMeta = { resourceVersion: String(found.revision) };
  if (found.next)
    metadata.continue = encodeToken({ ...found.next, revision: found.revision, since: (plan.at && plan.since) ?? now });
  if (found.remaining !== undefined && selectsAll(plan.selection)) metadata.remainingItemCount = found.remaining;
  const items = current(core, kind, found.items).map(({ json }) => json);
  return { type: "list", code: 200, kind, items, metadata, warnings: [] };
}

/** The list as bytes, where all objects of a scope are asked for as they lie in storage. */
function joinedList(core: Core, { kind, namespace }: ApiRequest, plan: Plan, now: number): ApiResult | undefined {
  const { selection, limit, at, after } = plan;
  const isNow = at === undefined || at === core.store.revision();
  if (!isNow || !selectsAll(selection) || !isBuiltIn(kind) || kind.refresh || !isReadAsStored(kind)) return undefined;
  const { store } = core;
  const scope = { resource: storageResource(kind), ...(namespace && { namespace }) };
  const found = store.listText(scope, opening(kind), { after, ...(limit && { limit }) });
  if (!found) return undefined;
  const revision = store.revision();
  const metadata: ListMeta = { resourceVersion: String(revision) };
  const remaining = limit > 0 && found.count === limit ? store.count(scope, found.last) : 0;
  if (remaining > 0 && found.last) {
    metadata.continue = encodeToken({ ...found.last, revision, since: (at && plan.since) ?? now });
    metadata.remainingItemCount = remaining;
  }
  return { type: "list", code: 200, kind, items: [], parts: found.parts, metadata, warnings: [] };
}

type Position = { namespace: string; name: string };
type Plan = {
  selection: Selection;
  limit: number;
  /** The snapshot to show; absent for what is there now. */
  at: number | undefined;
  after: Position | undefined;
  /** When the first page of a list in pages was shown, in ms. */
  since?: number;
};
type Found = { items: StoredObject[]; revision: number; next?: Position; remaining?: number };

function listPlan({ store }: Core, { kind, query }: ApiRequest): Plan {
  const resourceVersion = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch") ?? "";
  const token = query.get("continue") ?? "";
  const initial = query.get("sendInitialEvents");
  checkListQuery({
    resourceVersion,
    match,
    continue: token,
    sendInitialEvents: initial === null ? undefined : isTrue(initial),
  });
  wholeNumber(query.get("timeoutSeconds") || "0");
  const selection = parseSelection(kind, query.get("labelSelector") ?? "", query.get("fieldSelector") ?? "");
  const limit = pageSize(kind, resourceVersion, Math.max(0, wholeNumber(query.get("limit") || "0")));
  if (token !== "") {
    const { revision, since, ...after } = decodeToken(token);
    if (resourceVersion !== "" && resourceVersion !== "0")
      throw badRequest("specifying resource version is not allowed when using continue");
    checkReached(revision, store.revision());
    return { selection, limit, at: revision || undefined, after, since };
  }
  const revision = parseListRevision(resourceVersion);
  checkReached(revision, store.revision());
  const isExact = revision > 0 && (match === "Exact" || (match === "" && limit > 0));
  return { selection, limit, at: isExact ? revision : undefined, after: undefined };
}

/** Where whatever is cached will do, kube-apiserver answers with all of it; here it is this many at most. */
const MAX_CACHED_PAGE = 5_000;

/** Events have no cache. */
const pageSize = ({ resource }: Kind, resourceVersion: string, limit: number): number =>
  resourceVersion === "0" && limit > 0 && resource !== "events" ? Math.max(limit, MAX_CACHED_PAGE) : limit;

/** Items that fit, from as few rows as the selectors allow. */
function collect(core: Core, { kind, namespace }: ApiRequest, plan: Plan): Found | "expired" {
  const { selection, limit, at } = plan;
  const one = at === undefined && !plan.after && limit === 0 ? fewRows(core, kind, namespace, selection) : undefined;
  if (one) return { items: one.filter(fits(core, kind, selection)), revision: core.store.revision() };
  const where = namespace || (kind.namespaced ? pinned(selection, "metadata.namespace") : undefined);
  const scope = { resource: storageResource(kind), ...(where && { namespace: where }) };
  const isConverted = selection.fields.length > 0 && kind.conversion !== undefined;
  if (selectsAll(selection) || (limit === 0 && isConverted)) {
    const page = core.store.list(scope, { ...(limit && { limit }), after: plan.after, at });
    if (page === "expired") return page;
    if (isConverted)
      needConverted(
        kind,
        page.items.map((stored) => core.view.parse(stored)),
      );
    return selectsAll(selection) ? page : { ...page, items: page.items.filter(fits(core, kind, selection)) };
  }
  return collectPages(core.store, scope, plan, fits(core, kind, selection));
}

const fits = (core: Core, kind: Kind, selection: Selection) => (stored: StoredObject) =>
  selectsStored(kind, selection, stored.json, () => core.view.parse(stored));

/** What an index answers: one object by its name, the pods of a node. */
function fewRows(core: Core, kind: Kind, namespace: string, selection: Selection): StoredObject[] | undefined {
  const name = pinned(selection, "metadata.name");
  const where = namespace || pinned(selection, "metadata.namespace");
  if (name && (where || !kind.namespaced)) {
    const stored = core.store.get(keyOf(kind, where ?? "", name));
    return stored ? [stored] : [];
  }
  const node = kind.groupResource === "pods" ? pinned(selection, "spec.nodeName") : undefined;
  if (node === undefined) return undefined;
  return core.store.byRef(nodeRef(node), kind.groupResource).filter((pod) => !where || pod.namespace === where);
}

/** Rows read at once while a selector passes over them. */
const ROWS_AT_ONCE = 200;

function collectPages(
  store: Reader,
  scope: { resource: string; namespace?: string },
  { limit, at, after }: Plan,
  matches: (stored: StoredObject) => boolean,
): Found | "expired" {
  const items: StoredObject[] = [];
  let position = after;
  let snapshot = at;
  for (;;) {
    const page = store.list(scope, { limit: ROWS_AT_ONCE, after: position, at: snapshot, count: false });
    if (page === "expired") return page;
    snapshot ??= page.revision;
    for (const stored of page.items) {
      if (!matches(stored)) continue;
      if (limit > 0 && items.length === limit) {
        const { namespace, name } = items.at(-1) as StoredObject;
        return { items, revision: page.revision, next: { namespace, name } };
      }
      items.push(stored);
    }
    if (!page.next) return { items, revision: page.revision };
    position = page.next;
  }
}

/** 410; a list in pages also gets a token that goes on in what is there now. */
function expiredList(token: string): ApiResult {
  if (token === "") throw expired("The resourceVersion for the provided list is too old.");
  const error = expired(
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
  );
  const fresh = encodeToken({ ...decodeToken(token), revision: 0 });
  const body = { ...error.status(), metadata: { continue: fresh } };
  return { type: "status", code: 410, body, warnings: [] };
}
