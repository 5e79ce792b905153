import { afterEach, expect, test, vi } from "vitest";
import { Client, StatusError } from "./client.ts";

afterEach(() => vi.unstubAllGlobals());

/** A client whose token ends and whose renewal fails so; what is sent, and what was refused. */
function clientWith(why: Error) {
  const sent: string[] = [];
  const refused: unknown[] = [];
  vi.stubGlobal("fetch", async (_: string, { headers }: { headers: Record<string, string> }) => {
    sent.push(headers.authorization ?? "");
    return Response.json({});
  });
  const client = new Client("", "own", (...told) => refused.push(told));
  client.renewal = {
    isDue: () => true,
    async renew() {
      throw why;
    },
  };
  return { client, sent, refused };
}

test.each([
  ["a timeout", new TypeError("nothing answers"), true],
  ["what has no room", new StatusError(429, "TooManyRequests", "later"), true],
  ["what is down", new StatusError(503, "ServiceUnavailable", "later"), true],
  ["a refusal", new StatusError(400, "BadRequest", "invalid_grant"), false],
])("after %s the token is used while it holds", async (_, why, isAskedAgain) => {
  const { client, sent, refused } = clientWith(why);
  await client.json("/api/v1/pods");
  expect([sent, refused, client.renewal !== undefined]).toEqual([["Bearer own"], [], isAskedAgain]);
});

test("after the login's end nothing more is sent", async () => {
  const { client, sent, refused } = clientWith(new StatusError(401, "Unauthorized", "logged out"));
  await expect(client.json("/api/v1/pods")).rejects.toMatchObject({ code: 401 });
  expect([sent, refused]).toEqual([[], [["own", "logged out"]]]);
  expect(client.renewal).toBeUndefined();
});

test("what the API refuses is told by the token that was sent", async () => {
  const { client, refused } = clientWith(new Error());
  client.renewal = undefined;
  vi.stubGlobal("fetch", async () => new Response("{}", { status: 401 }));
  await expect(client.json("/api/v1/pods")).rejects.toMatchObject({ code: 401 });
  expect(refused).toEqual([["own"]]);
});
