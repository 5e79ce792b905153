/** What receivers are told, and how each of their protocols carries it. */
import type { Delivery, Told } from "../facts/alerts.ts";
import { subjectOf } from "../facts/alerts.ts";

/** Of a delivery, in words. */
export type Message = { title: string; body: string; state: "firing" | "resolved"; severity: Told["severity"] };

const NAMED = 3;
const DETAILED = 10;

export function messageOf(cluster: string, { firing, resolved, repeated }: Delivery): Message {
  const state = firing.length > 0 ? "firing" : "resolved";
  const all = firing.length > 0 ? firing : resolved;
  const names = all.slice(0, NAMED).map(subjectOf);
  const more = all.length - names.length;
  const subjects = `${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  const title = `${cluster}: ${all[0]?.rule ?? ""}${state === "resolved" ? " is over" : ""}${repeated ? ", still" : ""}: ${subjects}`;
  return {
    title,
    body: [...linesOf(firing, ""), ...linesOf(resolved, "Over: ")].join("\n"),
    state,
    severity: all.some(({ severity }) => severity === "error") ? "error" : "warning",
  };
}

function linesOf(alerts: readonly Told[], before: string): string[] {
  const lines = alerts.slice(0, DETAILED).map((alert) => {
    const what = `${before}${subjectOf(alert)}`;
    return before ? what : `${what}: ${alert.cause}\n→ ${alert.remedy}`;
  });
  return alerts.length > DETAILED ? [...lines, `and ${alerts.length - DETAILED} more`] : lines;
}

/** What webhooks are sent: docs/alerts.md describes it. */
export function webhookBody(cluster: string, delivery: Delivery): string {
  const { title, state, severity } = messageOf(cluster, delivery);
  const shown = (told: readonly Told[]) =>
    told.map(({ since, ...one }) => ({ ...one, since: new Date(since).toISOString() }));
  return JSON.stringify({
    version: 1,
    id: delivery.id,
    cluster,
    state,
    severity,
    title,
    repeated: delivery.repeated ?? false,
    at: new Date(delivery.at).toISOString(),
    firing: shown(delivery.firing),
    resolved: shown(delivery.resolved),
  });
}

/** A header takes one line, and each proxy has its own idea of how long it may be. */
const MAX_HEADER_CHARACTERS = 200;
const PRIORITIES = { error: "high", warning: "default" } as const;

/** https://docs.ntfy.sh/publish/ */
export function ntfyHeaders({ title, state, severity }: Message): Record<string, string> {
  const firing = severity === "error" ? "rotating_light" : "warning";
  return {
    "content-type": "text/plain; charset=utf-8",
    title: title.slice(0, MAX_HEADER_CHARACTERS).replace(/[^ -~]/g, "?"),
    priority: state === "resolved" ? "default" : PRIORITIES[severity],
    tags: `${state === "resolved" ? "white_check_mark" : firing},skerry`,
  };
}
