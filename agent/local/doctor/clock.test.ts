import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { certificates } from "../../../worker/lib/certificates.ts";
import { effects } from "../../effects.ts";
import { answerOf } from "./clock.ts";

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const trusted = getCACertificates("default");
const servers: Server[] = [];
afterEach(() => {
  setDefaultCACertificates(trusted);
  for (const server of servers.splice(0)) server.close();
});

test("where a certificate that all trust seems not to be valid, the server's clock is asked, without a token", async () => {
  const now = Math.floor(effects.now() / 1000) * 1000;
  const authority = await certificates.createAuthority("public", now);
  setDefaultCACertificates([authority.certificate]);
  const names = { dns: ["localhost"], ip: ["127.0.0.1"] };
  const { certificate, key } = await certificates.issueServer(authority, "server", names, now - 30 * YEAR_MS);
  const tokens: unknown[] = [];
  const server = createServer({ cert: certificate, key }, ({ headers }, response) => {
    tokens.push(headers.authorization);
    response.sendDate = false;
    response.setHeader("date", new Date(now - HOUR_MS).toUTCString()).end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await answerOf({ url, token: "secret" }, () => now)).toEqual({
    aheadMs: HOUR_MS,
    error: expect.stringContaining("expired"),
  });
  expect(tokens).toEqual([undefined]);
});
