/** Reading the audit log: the newest first in pages, each in the order in which it happened. */
import { badRequest } from "../../lib/status.ts";
import type { Journal } from "../../storage/store.ts";
import type { AuditEvent } from "./event.ts";

const DEFAULT_LIMIT = 500;
const MAX_LIMIT = 5000;
/** One answer looks through so much, whatever it finds. */
const MAX_CHARACTERS = 1024 * 1024;
const SEGMENTS_AT_ONCE = 16;

export type AuditQuery = {
  /** Events at or after this time, ms. */
  since: number;
  until: number;
  user?: string;
  verb?: string;
  resource?: string;
  namespace?: string;
  /** About so many events at most: those that lie together come together. */
  limit: number;
  before?: number;
};

export type AuditPage = { events: AuditEvent[]; continue?: string };

function time(text: string | null, otherwise: number): number {
  if (!text) return otherwise;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw badRequest(`not a time in RFC 3339: ${JSON.stringify(text)}`);
  return ms;
}

function count(name: string, text: string | null): number | undefined {
  if (!text) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`${name} must be a number`);
  return Number(text);
}

export function readQuery(query: URLSearchParams): AuditQuery {
  const text = (name: string) => query.get(name) || undefined;
  return {
    since: time(query.get("since"), 0),
    until: time(query.get("until"), Number.POSITIVE_INFINITY),
    user: text("user"),
    verb: text("verb"),
    resource: text("resource"),
    namespace: text("namespace"),
    limit: Math.min(count("limit", query.get("limit")) || DEFAULT_LIMIT, MAX_LIMIT),
    before: count("continue", query.get("continue")),
  };
}

/** `pods`, `deployments.apps` and `pods/exec`, as RBAC and kubectl name resources. */
function isOf(resource: string, { objectRef }: AuditEvent): boolean {
  if (!objectRef) return false;
  const [name = "", subresource] = resource.split("/");
  const isNamed = name === objectRef.resource || name === `${objectRef.resource}.${objectRef.apiGroup ?? ""}`;
  return isNamed && (subresource === undefined || subresource === (objectRef.subresource ?? ""));
}

function matches(event: AuditEvent, { since, until, user, verb, resource, namespace }: AuditQuery): boolean {
  const at = Date.parse(event.stageTimestamp);
  if (at < since || at > until) return false;
  if (user !== undefined && user !== event.user.username && user !== event.impersonatedUser?.username) return false;
  if (verb !== undefined && verb !== event.verb) return false;
  if (resource !== undefined && !isOf(resource, event)) return false;
  return namespace === undefined || namespace === event.objectRef?.namespace;
}

export function readAudit(journal: Journal, query: AuditQuery): AuditPage {
  let { before } = query;
  let events: AuditEvent[] = [];
  for (let looked = 0; looked < MAX_CHARACTERS; ) {
    const segments = journal.segments(before, SEGMENTS_AT_ONCE);
    for (const { id, at, lines } of segments) {
      const found = lines
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as AuditEvent)
        .filter((event) => matches(event, query));
      events = [...found, ...events];
      before = id;
      looked += lines.length;
      if (at < query.since) return { events };
      if (events.length >= query.limit) return { events, continue: String(before) };
    }
    if (segments.length < SEGMENTS_AT_ONCE) return { events };
  }
  return { events, continue: String(before) };
}
