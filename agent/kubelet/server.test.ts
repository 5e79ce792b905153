import { request } from "node:https";
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { createAuthority, issueClient, issueServer } from "../../worker/lib/certificates.ts";
import { effects } from "../effects.ts";
import type { Identity } from "./access.ts";
import { type Answer, text } from "./answer.ts";
import { KubeletServer } from "./server.ts";

const authority = await createAuthority("cluster", effects.now());
const names = { dns: ["localhost"], ip: ["127.0.0.1"] };
const serving = await issueServer(authority, "n", names, effects.now());
const servers: KubeletServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** jane may ask for metrics; who comes with a certificate is let in by that. */
async function listening(answer: () => Answer, ca = authority.certificate) {
  const server = new KubeletServer({
    answer: async () => answer(),
    give: async ({ url }, ticket) => (url === "/given" ? text(ticket ? 200 : 401, "given") : undefined),
    access: {
      async identify(socket, authorization = ""): Promise<Identity | undefined> {
        if (socket.authorized) return { name: String(socket.getPeerCertificate().subject.CN), groups: [] };
        return authorization === "Bearer jane" ? { name: "jane", groups: [] } : undefined;
      },
      async allows(user, method, subresources) {
        if (subresources.includes("stats")) throw new Error("offline");
        return user.name === "admin" || (method === "GET" && subresources.includes("metrics"));
      },
    },
    log: () => {},
  });
  servers.push(server);
  const port = await server.listen("127.0.0.1", 0, { ...serving, ca });
  return (
    path: string,
    headers: Record<string, string> = {},
    client?: { certificate: string; key: string },
    method = "GET",
  ) =>
    new Promise<{ status: number; body: Buffer; headers: Record<string, unknown> }>((resolve, reject) => {
      const identity = client ? { cert: client.certificate, key: client.key } : {};
      const options = {
        host: "127.0.0.1",
        port,
        path,
        method,
        headers,
        ca: authority.certificate,
        agent: false,
        ...identity,
      };
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks), headers: response.headers }),
        );
      });
      sent.on("error", reject);
      sent.end();
    });
}

const jane = { authorization: "Bearer jane" };

test("nobody is let in who is not known", async () => {
  const ask = await listening(() => text(200, "ok"));
  const { status, body } = await ask("/metrics");
  expect([status, body.toString()]).toEqual([401, "Unauthorized"]);
});

test("who is known is told what they may not, in the kubelet's words", async () => {
  const ask = await listening(() => text(200, "ok"));
  expect((await ask("/metrics", jane)).status).toBe(200);
  const refused = await ask("/pods", jane);
  expect(refused.status).toBe(403);
  expect(refused.body.toString()).toBe(
    "Forbidden (user=jane, verb=get, resource=nodes, subresource(s)=[pods proxy])\n",
  );
  const unsure = await ask("/stats/summary", jane);
  expect([unsure.status, unsure.body.toString()]).toEqual([
    500,
    "Authorization error (user=jane, verb=get, resource=nodes, subresource=stats)",
  ]);
});

test("a path cannot be dressed up as another", async () => {
  const ask = await listening(() => text(200, "ok"));
  for (const path of ["/metrics/../pods", "/metrics/%2e%2e/pods", "//metrics", "/%70ods"])
    expect((await ask(path, jane)).status).toBe(403);
  expect((await ask("/%zz", jane)).status).toBe(400);
});

test("a certificate counts when the cluster has signed it, and while the cluster is not known, none does", async () => {
  const admin = await issueClient(authority, "admin", effects.now());
  const other = await issueClient(await createAuthority("other", effects.now()), "admin", effects.now());
  const ask = await listening(() => text(200, "ok"));
  expect((await ask("/pods", {}, admin)).status).toBe(200);
  expect((await ask("/pods", {}, other)).status).toBe(401);
  const early = await listening(() => text(200, "ok"), "");
  expect((await early("/pods", {}, admin)).status).toBe(401);
});

test("what is long is compressed for those who take it, and streams go as they come", async () => {
  const long = "x".repeat(20_000);
  const ask = await listening(() => text(200, long));
  const packed = await ask("/metrics", { ...jane, "accept-encoding": "gzip" });
  expect(packed.headers["content-encoding"]).toBe("gzip");
  expect(gunzipSync(packed.body).toString()).toBe(long);
  for (const accepted of ["identity", "gzip;q=0"]) {
    const plain = await ask("/metrics", { ...jane, "accept-encoding": accepted });
    expect(plain.body.toString()).toBe(long);
  }
  const stream = await listening(() => ({ status: 200, headers: {}, body: Readable.from(["a", "b"]) }));
  expect((await stream("/metrics", jane)).body.toString()).toBe("ab");
});

test("the head of an answer comes alone where it is asked for", async () => {
  const admin = await issueClient(authority, "admin", effects.now());
  const ask = await listening(() => text(200, "ok"));
  const { status, body, headers } = await ask("/metrics", {}, admin, "HEAD");
  expect([status, body.length, headers["content-length"]]).toEqual([200, 0, "2"]);
});
