import { expect, test } from "vitest";
import { isTicketFor, signTicket } from "./blob-tickets.ts";
import { createAuthority } from "./certificates.ts";

const NOW = Date.UTC(2026, 0, 2);
const [one, other] = ["1", "2"].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string];

test("a ticket is for one blob, by one CA, and for two minutes", async () => {
  const [authority, another] = await Promise.all(["a", "b"].map((name) => createAuthority(name, NOW)));
  const ca = authority?.certificate ?? "";
  const ticket = await signTicket(authority as NonNullable<typeof authority>, one, NOW);
  expect(await isTicketFor(one, ticket, { ca, now: NOW })).toBe(true);
  expect(await isTicketFor(one, ticket, { ca, now: NOW + 119_999 })).toBe(true);
  expect(await isTicketFor(one, ticket, { ca, now: NOW + 120_000 })).toBe(false);
  expect(await isTicketFor(one, ticket, { ca, now: NOW - 60_000 })).toBe(true); // by a clock that is behind
  expect(await isTicketFor(one, ticket, { ca, now: NOW - 60_001 })).toBe(false);
  expect(await isTicketFor(one, ticket, { ca, now: 0 })).toBe(false);
  expect(await isTicketFor(other, ticket, { ca, now: NOW })).toBe(false);
  expect(await isTicketFor(one, ticket, { ca: another?.certificate ?? "", now: NOW })).toBe(false);
  expect(await isTicketFor(one, ticket, { ca: "", now: NOW })).toBe(false);
  const [until = "", signature = ""] = ticket.split(".");
  for (const text of ["", ".", ticket.slice(1), ticket.slice(0, -1), `${Number(until) + 1}.${signature}`, `${until}.!`])
    expect(await isTicketFor(one, text, { ca, now: NOW }), text).toBe(false);
});
