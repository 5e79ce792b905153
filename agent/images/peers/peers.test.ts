/** Two nodes' parts over real TLS on loopback, and a registry that knows who may. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, BlockList, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { signTicket, TICKET_HEADER } from "../../../worker/lib/blob-tickets.ts";
import { type CertificateAndKey, createAuthority, issueServer } from "../../../worker/lib/certificates.ts";
import { effects } from "../../effects.ts";
import { type Answer, text } from "../../kubelet/answer.ts";
import { KubeletServer } from "../../kubelet/server.ts";
import { ContentStore } from "../content.ts";
import { BlobGiver, blobPath } from "./giver.ts";
import { type Mirror, peerMirrors } from "./mirror.ts";
import { Peers } from "./peers.ts";

const now = effects.now();
const authority = await createAuthority("cluster", now);
const stranger = await createAuthority("stranger", now);
const certificate = (ca: CertificateAndKey, name: string) => issueServer(ca, name, { dns: [], ip: ["127.0.0.1"] }, now);
const [ofB, ofC, ofStranger] = await Promise.all([
  certificate(authority, "system:node:b"),
  certificate(authority, "system:node:c"),
  certificate(stranger, "system:node:b"),
]);

const LAYER = Buffer.alloc(300_000, "what is in a layer ");
const DIGEST = `sha256:${createHash("sha256").update(LAYER).digest("hex")}`;
const PATH = `/v2/team/app/blobs/${DIGEST}`;

let root: string;
const ends: (() => void)[] = [];
/** What the registry was asked, and what was logged. */
let asked: string[] = [];
let logged: string[] = [];
/** Who the peer's server was asked for, beside blobs. */
let questions: string[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "skerry-peers-"));
  [asked, logged, questions] = [[], [], []];
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
  rmSync(root, { recursive: true });
});

function keep(bytes: Buffer): void {
  const blobs = join(root, "io.containerd.content.v1.content/blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  writeFileSync(join(blobs, DIGEST.slice(7)), bytes);
}

/** Node b's own API; its port. */
async function giver(shown = ofB): Promise<number> {
  const blobs = new BlobGiver({
    content: new ContentStore(root),
    authority: () => authority.certificate,
    now: effects.now,
  });
  return serve((...question) => blobs.answer(...question), shown);
}

/** Who gives of any blob what `body` says. */
const giving = (body: () => Readable, size: number, idleTakerMs?: number) =>
  serve(async () => ({ status: 200, headers: { "content-length": `${size}` }, body: body() }), ofB, idleTakerMs);

function serve(
  give: (...asked: Parameters<BlobGiver["answer"]>) => Promise<Answer | undefined>,
  shown = ofB,
  idleTakerMs?: number,
) {
  const server = new KubeletServer(
    {
      answer: async () => text(200, "all else"),
      give,
      access: {
        identify: async () => {
          questions.push("who");
          return undefined;
        },
        allows: async () => true,
      },
      log: () => {},
    },
    idleTakerMs,
  );
  ends.push(() => server.close());
  return server.listen("127.0.0.1", 0, { ...shown, ca: authority.certificate });
}

/** Who has the password may have what is there. */
async function registry(size = LAYER.length): Promise<{ url: string; token: string }> {
  const server = createServer(async ({ method, url, headers }: IncomingMessage, answer: ServerResponse) => {
    asked.push(`${method} ${url}`);
    if (headers.authorization !== "Bearer secret") return answer.writeHead(403).end();
    const ticket = headers[TICKET_HEADER] && (await signTicket(authority, DIGEST, effects.now()));
    answer.writeHead(200, { "content-length": size, ...(ticket && { [TICKET_HEADER]: ticket }) }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: "secret" };
}

type At = { node?: string; address?: string; port: number };
function peersAt(at: readonly At[], time: Partial<typeof effects> = {}): Peers {
  const networks = new BlockList();
  networks.addSubnet("127.0.0.0", 8);
  networks.addSubnet("2001:db8::", 64, "ipv6");
  const told = logged;
  return new Peers({
    node: "a",
    nodes: () =>
      at.map(({ node = "b", address = "127.0.0.1", port }) => ({
        metadata: { name: node },
        spec: {},
        status: {
          addresses: [
            { type: "Hostname", address: node },
            { type: "InternalIP", address },
          ],
          daemonEndpoints: { kubeletEndpoint: { Port: port } },
        },
      })),
    networks: () => networks,
    authority: () => authority.certificate,
    effects: { ...effects, ...time },
    log: (line) => told.push(line),
  });
}

async function mirrorOf(peers: Peers, given: { url: string; token: string }): Promise<Mirror | undefined> {
  const told = logged;
  const mirror = await peerMirrors({ peers, log: (line) => told.push(line) }).open(given);
  ends.push(() => mirror?.close());
  return mirror;
}

const get = async (mirror: Mirror | undefined, path = PATH, headers = {}) => {
  const answer = await fetch(`${mirror?.url}${path}?ns=r.example.com`, { headers });
  return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
};

describe("a pull takes a blob", () => {
  test("from a node that has it, with a ticket that the registry gives to who pulls", async () => {
    keep(LAYER);
    const mirror = await mirrorOf(peersAt([{ port: await giver() }]), await registry());
    const got = await get(mirror);
    expect([got.status, got.bytes.equals(LAYER)]).toEqual([200, true]);
    expect(asked).toEqual([`HEAD ${PATH}`]);
    expect(logged).toEqual(["images: 0.3 MB came from node b"]);
    expect(questions).toEqual([]);
  });

  test("from the registry, where nobody has it, or has as much of it", async () => {
    const port = await giver();
    expect((await get(await mirrorOf(peersAt([{ port }]), await registry()))).status).toBe(404);
    keep(LAYER);
    expect((await get(await mirrorOf(peersAt([{ port }]), await registry(7)))).status).toBe(404);
    expect(logged).toEqual([]);
  });

  test("from no node that the registry would not give it from", async () => {
    keep(LAYER);
    const peers = peersAt([{ port: await giver() }]);
    expect((await get(await mirrorOf(peers, { ...(await registry()), token: "other" }))).status).toBe(404);
    expect(asked).toEqual([`HEAD ${PATH}`]);
  });

  test("by its address alone, and nothing else by that", async () => {
    keep(LAYER);
    const mirror = await mirrorOf(peersAt([{ port: await giver() }]), await registry());
    const { origin } = new URL(mirror?.url ?? "");
    expect((await fetch(`${origin}${PATH}`)).status).toBe(404);
    for (const path of ["/v2/team/app/manifests/1", `/v2/team/app/manifests/${DIGEST}`, "/v2/"])
      expect((await get(mirror, path)).status).toBe(404);
    expect((await get(mirror, PATH, { range: "bytes=10-" })).status).toBe(404); // the registry goes on where another ended
    expect(asked).toEqual([]);
  });

  test("and not from who has other bytes: the answer is cut, and others are asked for a while", async () => {
    keep(Buffer.alloc(LAYER.length, "other bytes "));
    const peers = peersAt([{ port: await giver() }]);
    const mirror = await mirrorOf(peers, await registry());
    await expect(get(mirror)).rejects.toThrow();
    expect(logged).toEqual([
      expect.stringMatching(/^images: none from node b for 60 s: it has other bytes for sha256:/),
    ]);
    expect((await get(mirror)).status).toBe(404);
  });
});

describe("whom a node asks", () => {
  test("others on its own networks that listen", () => {
    const at = [
      { node: "a", port: 1 },
      { node: "b", port: 1 },
      { node: "off", port: 0 },
      { node: "elsewhere", address: "192.0.2.7", port: 1 },
      { node: "named", address: "some.name", port: 1 },
      { node: "none", address: null as unknown as string, port: 1 },
      { node: "six", address: "2001:db8::7", port: 1 },
    ];
    expect(
      peersAt(at)
        .near()
        .map(({ node }) => node)
        .toSorted(),
    ).toEqual(["b", "six"]);
    expect(peersAt(Array.from({ length: 50 }, (_, n) => ({ node: `n${n}`, port: 1 }))).near()).toHaveLength(6);
  });

  test("nobody, and then there is no mirror", async () => {
    expect(await mirrorOf(peersAt([]), await registry())).toBeUndefined();
  });

  test("nobody where none can be asked, which is told and fails no pull", async () => {
    const peers = peersAt([{ port: 1 }]);
    peers.near = () => {
      throw new Error("no networks");
    };
    expect(await mirrorOf(peers, await registry())).toBeUndefined();
    expect(logged).toEqual(["images: no other nodes are asked: no networks"]);
  });

  test.each([
    ["another CA's certificate", ofStranger],
    ["another node's certificate", ofC],
  ])("is told no ticket where it shows %s", async (_, shown) => {
    keep(LAYER);
    const peers = peersAt([{ port: await giver(shown) }]);
    expect(await peers.fetch(DIGEST, LAYER.length, "ticket")).toBeUndefined();
    expect(logged).toEqual([expect.stringMatching(/^images: none from node b for 60 s/)]);
  });

  test("once in a while, where it does not answer, and each time less often", async () => {
    let time = now;
    const silent = createTcpServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    await new Promise((resolve) => silent.close(resolve));
    const peers = peersAt([{ port }], { now: () => time });
    const ask = async () => {
      await Promise.all([1, 2].map(() => peers.fetch(DIGEST, LAYER.length, "ticket")));
      return peers.near().length;
    };
    expect(await ask()).toBe(0);
    time += 60_000;
    expect(peers.near()).toHaveLength(1);
    expect(await ask()).toBe(0);
    time += 60_000;
    expect(peers.near()).toHaveLength(0);
    time += 60_000;
    expect(peers.near()).toHaveLength(1);
    expect(logged.map((line) => /for (\d+) s/.exec(line)?.[1])).toEqual(["60", "120"]);
  });

  test("and takes it from one that has it while another says nothing", async () => {
    keep(LAYER);
    const held: IncomingMessage["socket"][] = [];
    const silent = createTcpServer((socket) => held.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    ends.push(() => {
      for (const socket of held) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as AddressInfo;
    const peers = peersAt([{ node: "silent", port }, { port: await giver() }]);
    const found = await peers.fetch(DIGEST, LAYER.length, await signTicket(authority, DIGEST, effects.now()));
    expect(found?.from.node).toBe("b");
    found?.body.destroy();
  });
});

describe("a body", () => {
  /** Everything that is waited for so long, to be called by hand. */
  function byHand(ms: number) {
    const waiting: (() => void)[] = [];
    const after: typeof effects.after = (wanted, body) => {
      if (wanted !== ms) return effects.after(wanted, body);
      waiting.push(body);
      return () => void waiting.splice(0);
    };
    return { waiting, after };
  }

  test("that comes too slowly is left to the registry, and its node for a while", async () => {
    const { waiting, after } = byHand(10_000);
    const port = await giving(() => {
      const body = new Readable({ read() {} });
      body.push("a little");
      return body;
    }, LAYER.length);
    const mirror = await mirrorOf(peersAt([{ port }], { after }), await registry());
    const got = get(mirror);
    got.catch(() => {});
    await expect.poll(() => waiting.length).toBe(1);
    waiting[0]?.();
    await expect(got).rejects.toThrow();
    await expect
      .poll(() => logged)
      .toEqual([expect.stringMatching(/^images: none from node b for 60 s: \d+ bytes came in 10 s$/)]);
  });

  test("that waits for who reads it is not", async () => {
    keep(LAYER);
    const { waiting, after } = byHand(10_000);
    const peers = peersAt([{ port: await giver() }], { after });
    const found = await peers.fetch(DIGEST, LAYER.length, await signTicket(authority, DIGEST, effects.now()));
    const body = found?.body as IncomingMessage;
    await expect.poll(() => body.readableLength).toBeGreaterThan(0);
    waiting.shift()?.();
    await expect.poll(() => waiting.length).toBe(1); // it is looked at again
    expect(body.destroyed).toBe(false);
    const bytes = Buffer.concat(await body.toArray());
    expect([bytes.equals(LAYER), waiting.length]).toEqual([true, 0]);
  });

  test("of which nothing is taken is given no longer", async () => {
    const bodies: Readable[] = [];
    const endless = () => {
      const chunk = Buffer.alloc(65_536);
      const body = new Readable({
        read() {
          this.push(chunk);
        },
      });
      bodies.push(body);
      return body;
    };
    const size = 2 ** 40;
    const peers = peersAt([{ port: await giving(endless, size, 100) }]);
    const found = await peers.fetch(DIGEST, size, "ticket");
    found?.body.on("error", () => {});
    await expect.poll(() => bodies.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  });

  test("comes from who was reached in time, where this process was too busy to see it", async () => {
    keep(LAYER);
    const after: typeof effects.after = (ms, body) => {
      if (ms !== 1_000) return effects.after(ms, body);
      const cancel = effects.after(1, body);
      const until = performance.now() + 100;
      while (performance.now() < until);
      return cancel;
    };
    const peers = peersAt([{ port: await giver() }], { after });
    const found = await peers.fetch(DIGEST, LAYER.length, await signTicket(authority, DIGEST, effects.now()));
    expect([found?.from.node, logged]).toEqual(["b", []]);
    found?.body.destroy();
  });
});

describe("a node gives a blob", () => {
  const given = (method: string, ticket?: string, url = blobPath(DIGEST)) =>
    new BlobGiver({ content: new ContentStore(root), authority: () => authority.certificate, now: () => now }).answer(
      { method, url },
      ticket,
    );

  test("to who has the registry's ticket for it, and is asked for nothing else", async () => {
    keep(LAYER);
    const ticket = await signTicket(authority, DIGEST, now);
    expect(await given("GET", ticket, "/pods")).toBeUndefined();
    expect(await given("GET", ticket, `${blobPath(DIGEST)}/..`)).toBeUndefined();
    expect((await given("HEAD", ticket))?.headers).toMatchObject({ "content-length": `${LAYER.length}` });
    expect((await given("PUT", ticket))?.status).toBe(405);
    for (const wrong of [
      undefined,
      "",
      await signTicket(stranger, DIGEST, now),
      await signTicket(authority, DIGEST, now - 120_000),
      await signTicket(authority, DIGEST.replace(/.$/, "x"), now),
    ])
      expect((await given("GET", wrong))?.status).toBe(401);
  });

  test("where it is here, and to so many at once", async () => {
    const ticket = await signTicket(authority, DIGEST, now);
    expect((await given("GET", ticket))?.status).toBe(404);
    keep(LAYER);
    const blobs = new BlobGiver({
      content: new ContentStore(root),
      authority: () => authority.certificate,
      now: () => now,
    });
    const ask = () => blobs.answer({ method: "GET", url: blobPath(DIGEST) }, ticket);
    const answers = await Promise.all(Array.from({ length: 16 }, ask));
    expect(answers.map((answer) => answer?.status)).toEqual(Array(16).fill(200));
    expect((await ask())?.status).toBe(503);
    const { promise, resolve } = Promise.withResolvers<void>();
    const body = answers[0]?.body;
    if (typeof body === "object") body.once("close", resolve).destroy();
    await promise;
    const again = await ask();
    expect(again?.status).toBe(200);
    for (const answer of [...answers, again]) if (typeof answer?.body === "object") answer.body.destroy();
  });
});
