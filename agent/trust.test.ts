import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type CertificateAndKey, certificates } from "../worker/lib/certificates.ts";
import { effects } from "./effects.ts";
import { agentTrusting } from "./trust.ts";

const YEAR_MS = 365 * 24 * 3_600_000;
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const names = { dns: ["localhost"], ip: ["127.0.0.1"] };

/** Answers with a certificate of that time, which the authority signed. */
async function serve(authority: CertificateAndKey, at: number, given = names): Promise<number> {
  const { certificate, key } = await certificates.issueServer(authority, "server", given, at);
  const server = createServer({ cert: certificate + authority.certificate, key }, (_, response) =>
    response.end("hello"),
  );
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const get = (port: number, ca: string, host = "127.0.0.1") =>
  new Promise<string>((resolve, reject) => {
    const agent = agentTrusting(ca);
    const call = request({ host, port, agent, path: "/", headers: { authorization: "secret" } }, (response) => {
      response.on("data", (chunk: Buffer) => {
        resolve(chunk.toString());
        agent.destroy();
      });
    });
    call.on("error", reject).end();
  });

test.each([-30, 0, 30])("a server is trusted by its CA when this machine is %i years away from it", async (years) => {
  const at = effects.now() + years * YEAR_MS;
  const authority = await certificates.createAuthority("cluster", at);
  const port = await serve(authority, at);
  expect(await get(port, authority.certificate)).toBe("hello");
  expect(await get(port, authority.certificate, "localhost")).toBe("hello");
});

test("nobody else is, whatever the time is", async () => {
  const now = effects.now();
  const [ours, theirs] = [
    await certificates.createAuthority("cluster", now),
    await certificates.createAuthority("cluster", now),
  ];
  await expect(get(await serve(theirs, now), ours.certificate)).rejects.toThrow("not signed by the cluster's CA");
  const past = now - 30 * YEAR_MS;
  const old = await certificates.createAuthority("cluster", past);
  await expect(get(await serve(old, past), ours.certificate)).rejects.toThrow("not signed by the cluster's CA");
  const elsewhere = await serve(ours, past, { dns: ["other.example"], ip: ["192.0.2.1"] });
  await expect(get(elsewhere, ours.certificate)).rejects.toThrow("not for 127.0.0.1");
});
