/** `skerry audit`: who did what, for people as a table, for programs as an audit.k8s.io/v1 EventList. */
import type { Effects } from "../../worker/lib/effects.ts";
import type { AuditEvent } from "../../worker/lib/facts/audit-event.ts";
import type { Timers } from "../effects.ts";
import type { Printed } from "./command-options.ts";
import type { Home } from "./home.ts";
import { type Server, sendChecked } from "./http.ts";
import { type Reach, reach } from "./reach.ts";
import { printJson } from "./terminal.ts";

export type AuditOptions = Reach &
  Printed & {
    /** Seconds back from now. */
    since?: number;
    user?: string;
    verb?: string;
    resource?: string;
    namespace?: string;
    limit: number;
    follow?: boolean;
  };

type Page = { items: AuditEvent[]; metadata: { continue?: string } };

/** Each question wakes a cluster that sleeps. */
const FOLLOW_EVERY_MS = 2000;
const REPEATED = "skerry.dev/repeated";
/** What usually fits, for rows that are yet to come. */
const USUAL_WIDTHS = [20, 16, 6, 16, 12, 20, 3, 9];
const COLUMNS = ["TIME", "USER", "VERB", "RESOURCE", "NAMESPACE", "NAME", "ANSWER", "FROM"];

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export async function audit(home: Home, options: AuditOptions, effects: Effects & Timers): Promise<void> {
  const server = await reach(home, options);
  const since = options.since === undefined ? undefined : stamp(effects.now() - options.since * 1000);
  const events = await latest(server, options, since);
  if (options.json && !options.follow) return printJson(listOf(events));
  const show = printer(options.json === true);
  show(events);
  if (!options.follow) return;
  let seen = new Set(events.map(({ auditID }) => auditID));
  let last = events.at(-1)?.stageTimestamp ?? stamp(effects.now());
  for (;;) {
    await effects.sleep(FOLLOW_EVERY_MS);
    const found = await latest(server, { ...options, limit: Number.POSITIVE_INFINITY }, last);
    show(found.filter(({ auditID }) => !seen.has(auditID)));
    seen = new Set(found.map(({ auditID }) => auditID));
    last = found.at(-1)?.stageTimestamp ?? last;
  }
}

const stamp = (ms: number) => new Date(ms).toISOString();

const listOf = (items: readonly AuditEvent[]) => ({
  kind: "EventList",
  apiVersion: "audit.k8s.io/v1",
  metadata: {},
  items,
});

/** The newest events, at most `limit`, in the order in which they happened; they come in pages from the newest back. */
async function latest(server: Server, options: AuditOptions, since: string | undefined): Promise<AuditEvent[]> {
  const { user, verb, resource, namespace, limit } = options;
  const asked = Object.entries({ since, user, verb, resource, namespace }).filter(([, value]) => value !== undefined);
  let events: AuditEvent[] = [];
  let next: string | undefined;
  do {
    const query = new URLSearchParams(asked as [string, string][]);
    if (next) query.set("continue", next);
    const { body } = await sendChecked(server, "GET", `/skerry/audit?${query}`);
    const page = body as unknown as Page;
    events = [...page.items, ...events];
    next = page.metadata.continue;
  } while (next !== undefined && events.length < limit);
  return events.slice(-Math.min(limit, events.length));
}

/** Columns are as wide as what is first printed needs, and keep that. */
function printer(json: boolean): (events: readonly AuditEvent[]) => void {
  if (json)
    return (events) => {
      for (const event of events)
        print(JSON.stringify({ kind: "AuditEvent", apiVersion: "audit.k8s.io/v1", ...event }));
    };
  let widths: number[] | undefined;
  return (events) => {
    const rows = events.map(rowOf);
    if (!widths) {
      const all = [COLUMNS, ...rows];
      const least = events.length > 0 ? [] : USUAL_WIDTHS;
      widths = COLUMNS.map((_, at) => Math.max(least[at] ?? 0, ...all.map((row) => row[at]?.length ?? 0)));
      rows.unshift(COLUMNS);
    }
    for (const row of rows)
      print(
        row
          .map((text, column) => text.padEnd(widths?.[column] ?? 0))
          .join("   ")
          .trimEnd(),
      );
  };
}

function rowOf(event: AuditEvent): string[] {
  const { objectRef: ref, user, impersonatedUser, responseStatus: status, annotations } = event;
  const who = user.username ?? "<unknown>";
  const times = annotations?.[REPEATED];
  const kind = ref && (ref.apiGroup ? `${ref.resource}.${ref.apiGroup}` : ref.resource);
  return [
    event.stageTimestamp.replace(/\.\d+Z$/, "Z"),
    impersonatedUser ? `${who} as ${impersonatedUser.username}` : who,
    event.verb,
    kind ? [kind, ref.subresource].filter(Boolean).join("/") : event.requestURI.replace(/\?.*$/, ""),
    ref?.namespace ?? "",
    ref?.name ?? "",
    [status?.code ?? "-", status?.reason, times && `(${times} more)`].filter(Boolean).join(" "),
    event.sourceIPs?.at(-1) ?? "",
  ];
}
