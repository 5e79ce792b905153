import type { KubeObject } from "../../lib/object.ts";
import { isTrue } from "../../lib/query.ts";
import { badRequest } from "../../lib/status.ts";
import type { Reader } from "../../storage/store.ts";
import { storageResource } from "../engine/conversions.ts";
import type { Core } from "../engine/core.ts";
import { wholeNumber } from "../engine/options.ts";
import { parseSelection } from "../engine/selection.ts";
import { checkListQuery, checkReached, checkWatchQuery, parseRevision } from "../engine/versions.ts";
import { needConverted } from "../engine/webhook-conversion.ts";
import type { ApiRequest, WatchSpec } from "../request.ts";

/** How long a watch lasts when the client does not say: a random time from this up to twice it, as upstream. */
const MIN_WATCH_SECONDS = 1800;
/** A watch is kept with its socket, which holds 16 KiB: a character may take three bytes, and there is more to keep. */
const MAX_SELECTOR_CHARACTERS = 5000;

/**
 * A checked watch. Throws 400, 422 and 504 as kube-apiserver does; a revision that is too old is no error yet: it
 * becomes an ERROR event, which is what clients expect.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export function watchSpec({ store, effects }: Core, request: ApiRequest, format: WatchSpec["format"]): WatchSpec {
  const { kind, namespace, name, query } = request;
  const resourceVersion = query.get("resourceVersion") ?? "";
  const initial = query.get("sendInitialEvents");
  const sendInitialEvents = initial === null ? undefined : isTrue(initial);
  const asked = isTrue(query.get("watch"));
  // A path under /watch/ alone is looked at as the list that it was before there were watches.
  (asked ? checkWatchQuery : checkListQuery)({
    resourceVersion,
    match: query.get("resourceVersionMatch") ?? "",
    continue: query.get("continue") ?? "",
    sendInitialEvents,
  });
  const labelSelector = query.get("labelSelector") ?? "";
  const fieldSelector = withName(query.get("fieldSelector") ?? "", name);
  if (labelSelector.length + fieldSelector.length > MAX_SELECTOR_CHARACTERS)
    throw badRequest(`the selectors of a watch may have at most ${MAX_SELECTOR_CHARACTERS} characters`);
  parseSelection(kind, labelSelector, fieldSelector);
  const given = parseRevision(resourceVersion);
  const current = store.revision();
  checkReached(given, current);
  const fromNow = given === 0;
  if (kind.conversion) needConverted(kind, firstToTell(store, request, given));
  const seconds = wholeNumber(query.get("timeoutSeconds") || "0");
  const bookmarks = isTrue(query.get("allowWatchBookmarks"));
  const lasts = seconds > 0 ? seconds : MIN_WATCH_SECONDS * (1 + effects.random());
  return {
    groupResource: storageResource(kind),
    apiVersion: kind.apiVersion,
    namespace,
    labelSelector,
    fieldSelector,
    revision: fromNow || sendInitialEvents ? current : given,
    sendInitial: sendInitialEvents ?? fromNow,
    // Who does not say what to begin with is told as well where the beginning ends.
    initialEventsEnd: bookmarks && (sendInitialEvents ?? (asked && fromNow)),
    bookmarks,
    deadline: effects.now() + lasts * 1000,
    format,
    includeObject: query.get("includeObject") ?? "Metadata",
  };
}

/** All that may have to be told before the first change. */
function* firstToTell(store: Reader, { kind, namespace }: ApiRequest, revision: number): Iterable<KubeObject> {
  const scope = { resource: storageResource(kind), ...(namespace && { namespace }) };
  for (const { json } of store.list(scope).items) yield JSON.parse(json);
  const changes = revision > 0 ? store.since(revision, [scope]) : [];
  if (changes === "expired") return;
  for (const { json, previous } of changes) {
    yield JSON.parse(json);
    if (previous) yield JSON.parse(previous);
  }
}

/** `/watch/…/NAME` is a watch of the collection that selects one name. */
function withName(fieldSelector: string, name: string): string {
  if (name === "") return fieldSelector;
  if (fieldSelector === "") return `metadata.name=${name}`;
  if (/(?:^|,)metadata\.name==?([^,]*)/.exec(fieldSelector)?.[1] === name) return fieldSelector;
  throw badRequest("fieldSelector metadata.name doesn't match requested name");
}
