import { expect, test } from "vitest";
import type { EdgeAnswer } from "../protocol/ingress.ts";
import { NODE_DID_NOT_COME } from "../protocol/proxy.ts";
import { led, type Reached } from "./leading.ts";

const URL = "https://app.example.com/";
const REFUSED = "error trying to reach service: dial tcp 10.0.0.1:80: connect: connection refused";
const BROKEN = "error trying to reach service: EOF";

/** Each endpoint after the other does as it is told; what came of it, and what each was sent. */
async function over(request: Request, ...outcomes: (string | undefined)[]) {
  const sent: string[] = [];
  const tried: string[][] = [];
  const answer = await led(request, {
    now: () => 0,
    ask: async (so) => {
      tried.push([...so.tried]);
      const address = `10.0.0.${so.tried.length + 1}`;
      const stream = { id: "1", kind: "proxy", scheme: "http", address, port: 80 } as const;
      return { to: "app", grant: { node: "node-a", stream }, timeoutMs: 0 } satisfies EdgeAnswer;
    },
    reach: async (_, body): Promise<Reached> => {
      sent.push(await new Response(await body()).text());
      const unreachable = outcomes[sent.length - 1];
      return unreachable === undefined ? { answer: new Response("hello") } : { unreachable };
    },
    forApi: () => {},
  });
  return { status: answer?.status, sent, tried: tried.at(-1) };
}

const post = (body?: string, length = body?.length) =>
  new Request(URL, {
    method: "POST",
    ...(body !== undefined && { body }),
    ...(length !== undefined && { headers: { "content-length": String(length) } }),
  });

test("what has no body and is idempotent goes to another endpoint, whatever became of it", async () => {
  const { status, tried } = await over(new Request(URL), BROKEN, REFUSED);
  expect(status).toBe(200);
  expect(tried).toEqual(["10.0.0.1:80", "10.0.0.2:80"]);
});

test.each([
  ["an endpoint has refused", REFUSED],
  ["a node has not come for", NODE_DID_NOT_COME],
])("what %s goes to another with its body, or without one", async (_, why) => {
  expect(await over(post("words"), why)).toMatchObject({ status: 200, sent: ["words", "words"] });
  expect(await over(post(), why)).toMatchObject({ status: 200, sent: ["", ""] });
});

test("a body that can be read but once is not sent again, be it refused", async () => {
  expect(await over(post("words", 100_000), REFUSED)).toMatchObject({ status: 502, sent: ["words"] });
});

test.each([post(), post("words")])("what a program may have had is not sent again", async (request) => {
  const { status, sent } = await over(request, BROKEN);
  expect(status).toBe(502);
  expect(sent.length).toBe(1);
});

test("no more than three endpoints are asked", async () => {
  const { status, sent } = await over(new Request(URL), REFUSED, REFUSED, REFUSED, REFUSED);
  expect(status).toBe(502);
  expect(sent.length).toBe(3);
});
