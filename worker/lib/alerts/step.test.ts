import { expect, test } from "vitest";
import { byteLength } from "../bytes.ts";
import { type AlertStatus, alertId, NO_ALERTS } from "../facts/alerts.ts";
import { type AlertConfig, type Receiver, readAlertConfig } from "./config.ts";
import { type Active, delivered, look, nextDeliveries, ROOM_A_RULE, type Wrong } from "./step.ts";

const MINUTE = 60_000;
const BEGUN = Date.parse("2026-01-01T00:00:00Z");
/** What a ConfigMap holds. */
const MIB = 1024 * 1024;

const receiver = (name: string, more: Partial<Receiver> = {}): Receiver => ({
  name,
  target: { type: "webhook", url: "http://192.0.2.7/" },
  errorsOnly: false,
  ...more,
});
const config = (...receivers: Receiver[]): AlertConfig => ({
  ...readAlertConfig({ timing: "{ wait: 0s, interval: 0s }" }).config,
  receivers,
});

type Rule = Active["rule"];
const active = (rule: Rule, name: string, more: Partial<Active> = {}): Active => ({
  rule,
  severity: "error",
  kind: "Deployment",
  namespace: "team-shop",
  name,
  since: 1,
  cause: `The image registry.example.com/team/${name} cannot be pulled: ${"日本".repeat(200)}`,
  remedy: "Check its name and tag, and whether it needs an imagePullSecret.",
  ...more,
});
const wrong = (...all: Active[]): Wrong => ({
  active: new Map(all.map((one) => [alertId(one), () => one])),
  lingering: new Set(),
  more: 0,
});
const many = (rule: Rule, count: number, more: Partial<Active> = {}) =>
  Array.from({ length: count }, (_, i) => active(rule, `web-${i}`, more));
const step = (before: AlertStatus, now: Wrong, to: AlertConfig, at: number, asked?: string) =>
  look(before, now, to, asked, BEGUN + at).status;
const rulesOf = ({ alerts }: AlertStatus) => new Set(alerts.map(({ rule }) => rule));
const waiting = ({ deliveries }: AlertStatus, name: string) => deliveries.filter((one) => one.receiver === name).length;
const bytesOf = (status: AlertStatus) => byteLength(JSON.stringify(status));

test("alerts of one rule leave the others their room", () => {
  const full = step(NO_ALERTS, wrong(...many("job-failed", 500)), config(), 0);
  expect([full.alerts.length, full.more]).toEqual([ROOM_A_RULE, 500 - ROOM_A_RULE]);
  const after = step(full, wrong(...many("job-failed", 500), active("node-offline", "attic")), config(), MINUTE);
  expect(rulesOf(after)).toEqual(new Set(["job-failed", "node-offline"]));
  expect(after.more).toBe(500 - ROOM_A_RULE);
});

test("texts are cut by bytes, and without control characters", () => {
  const [plain, wild] = [
    active("pod-failed", "a", { cause: "x" }),
    active("pod-failed", "b", { cause: "\u001b\n".repeat(500) }),
  ];
  const [one, two, three] = step(NO_ALERTS, wrong(plain, wild, active("pod-failed", "c")), config(), 0).alerts;
  expect(one?.cause).toBe("x");
  expect(two?.cause).toBe(`${" ".repeat(297)}…`);
  expect(byteLength(three?.cause ?? "")).toBeLessThanOrEqual(300);
  expect(three?.cause).toMatch(/cannot be pulled: (日本)+日?…$/);
});

test("what all rules tell seventy receivers in an outage is kept in what a ConfigMap holds", () => {
  const rules = Object.keys(readAlertConfig().config.rules) as Rule[];
  const receivers = Array.from({ length: 70 }, (_, i) => receiver(`r${i}`));
  const status = step(NO_ALERTS, wrong(...rules.flatMap((rule) => many(rule, 50))), config(...receivers), 0);
  expect(status.alerts).toHaveLength(rules.length * ROOM_A_RULE);
  expect(bytesOf(status)).toBeLessThan(MIB);
  for (const { name } of receivers) expect(waiting(status, name)).toBe(rules.length);
});

test("a message is kept once, however many are to hear it, and as long as one is", () => {
  const to = config(receiver("a"), receiver("b"), receiver("errors", { errorsOnly: true }));
  const warning = active("image-pull", "w", { severity: "warning" });
  let status = step(NO_ALERTS, wrong(active("image-pull", "e"), warning), to, 0);
  expect(Object.keys(status.messages)).toHaveLength(1);
  expect(nextDeliveries(status).map((one) => [one.receiver, one.firing.map(({ name }) => name)])).toEqual([
    ["a", ["e", "w"]],
    ["b", ["e", "w"]],
    ["errors", ["e"]],
  ]);
  for (const delivery of nextDeliveries(status)) status = delivered(status, delivery, { sent: true }, BEGUN);
  expect([status.deliveries, status.messages]).toEqual([[], {}]);
});

test("a receiver that takes nothing costs the others no message", () => {
  const to = config(receiver("dead"), receiver("well"));
  const long = Array.from({ length: ROOM_A_RULE }, (_, i) => active("image-pull", `web-${i}-${"n".repeat(240)}`));
  let status: AlertStatus = NO_ALERTS;
  const heard = new Set<string>();
  for (let at = 0; at < 100; at++) {
    status = step(status, at % 2 ? wrong() : wrong(...long), to, at * MINUTE);
    expect(bytesOf(status)).toBeLessThan(MIB);
    const next = nextDeliveries(status).find((one) => one.receiver === "well");
    if (!next) throw new Error("it was dropped");
    status = delivered(status, next, { sent: true }, BEGUN + at * MINUTE);
    heard.add(next.id);
  }
  expect(heard.size).toBe(100);
  expect(waiting(status, "dead")).toBeGreaterThan(10);
  expect(waiting(status, "dead")).toBeLessThanOrEqual(50);
});

test("what was dropped before anybody heard it counts as not told, and is told anew", () => {
  const to = config(receiver("dead"));
  const lasting = active("node-offline", "attic");
  let status = step(NO_ALERTS, wrong(lasting), to, 0);
  const first = status.deliveries[0]?.id;
  for (let at = 1; at <= 60; at++) {
    const others = at % 2 ? [active("image-pull", `web-${at}`)] : [];
    status = step(status, wrong(lasting, ...others), to, at * MINUTE);
  }
  expect(status.deliveries.map(({ id }) => id)).not.toContain(first);
  const again = Object.values(status.messages).find(({ firing }) => firing[0]?.name === "attic");
  expect(again?.at).toBeGreaterThan(BEGUN);
  expect(again?.repeated).toBeUndefined();
});

test("what nobody takes is not told, and does not stay when it is over", () => {
  const warning = active("job-failed", "backup", { severity: "warning" });
  const errors = config(receiver("errors", { errorsOnly: true }));
  const status = step(NO_ALERTS, wrong(warning), errors, 0);
  expect(status).toMatchObject({ alerts: [{ name: "backup" }], groups: {}, deliveries: [] });
  expect(status.alerts[0]?.toldAt).toBeUndefined();
  expect(step(status, wrong(), errors, MINUTE).alerts).toEqual([]);
});

test("an end that there is nobody for is forgotten, as is one that is silenced", () => {
  const lasting = active("node-offline", "attic");
  const to = config(receiver("a"));
  const told = step(NO_ALERTS, wrong(lasting), to, 0);
  expect(told.alerts[0]?.toldAt).toBeDefined();
  expect(step(told, wrong(), config(), MINUTE).alerts).toEqual([]);
  const silenced = { ...to, silences: [{ rule: "node-offline", until: BEGUN + 9 * MINUTE }] };
  expect(step(told, wrong(), silenced, MINUTE).alerts).toEqual([]);
  expect(step(told, wrong(), to, MINUTE).deliveries).toHaveLength(2);
});

test("a message that is refused for good is given up at once", () => {
  const status = step(NO_ALERTS, wrong(active("node-offline", "attic")), config(receiver("a")), 0, "x".repeat(9000));
  const [delivery] = nextDeliveries(status);
  if (!delivery) throw new Error("there is none");
  const after = delivered(status, delivery, { sent: false, error: "it answered 403", final: true }, BEGUN);
  expect(after.receivers).toMatchObject([{ error: "it answered 403; given up" }]);
  expect(nextDeliveries(after).map(({ id }) => id.slice(0, 5))).toEqual(["test-"]);
  expect(byteLength(status.tested ?? "")).toBeLessThanOrEqual(300);
});
