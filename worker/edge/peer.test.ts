import { expect, test } from "vitest";
import { openPeer, peersOf } from "./peer.ts";
import type { Relays } from "./relay-socket.ts";

test("a path names who asks and whom", () => {
  expect(peersOf("/relay/node-a/peers/node-b")).toEqual({ node: "node-a", other: "node-b" });
  for (const path of ["/relay/node-a/peers", "/relay/node-a/id", "/relay/a/peers/b/c", "/x/relay/a/peers/b"])
    expect(peersOf(path), path).toBeUndefined();
});

const peers = { node: "node-a", other: "node-b" };

function relays(asked: string[]): Relays {
  const fetch = async (url: string) => {
    asked.push(url);
    return new Response("joined");
  };
  const idFromName = (name: string) => {
    asked.push(name);
    return name;
  };
  return { idFromName, get: () => ({ fetch }) } as unknown as Relays;
}

test("the other node is asked to come to its Relay, where both are joined", async () => {
  const asked: string[] = [];
  const cluster = {
    fetch: async (request: Request) => {
      asked.push(new URL(request.url).pathname, request.headers.get("x-skerry-internal") ?? "");
      const grant = { node: "node-b", stream: { id: "some-id", kind: "peer", node: "node-a" } };
      return Response.json(grant, { headers: { "x-skerry-grant": "1" } });
    },
  } as unknown as Fetcher;
  const answer = await openPeer(peers, "home", cluster, relays(asked));
  expect(await answer.text()).toBe("joined");
  expect(asked).toEqual(["/node-a/node-b", "peer", "home/node-b", "https://relay/client/some-id"]);
});

test("a node that is not connected is told of, and no Relay wakes", async () => {
  const asked: string[] = [];
  const cluster = { fetch: async () => Response.json({ code: 503 }, { status: 503 }) } as unknown as Fetcher;
  const answer = await openPeer(peers, "home", cluster, relays(asked));
  expect([answer.status, asked]).toEqual([503, []]);
});
