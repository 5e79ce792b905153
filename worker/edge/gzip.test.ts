import { describe, expect, test } from "vitest";
import { compressed } from "./gzip.ts";

const request = (clientIp: string | undefined, encodings = "deflate, gzip") =>
  Object.assign(new Request("https://cluster/api/v1/pods", { headers: { "accept-encoding": encodings } }), {
    cf: clientIp === undefined ? undefined : { clientIp },
  });
const answer = (vary = "Accept-Encoding") =>
  new Response("x", { headers: { vary, "content-type": "application/json" } });
const encoding = (asked: Request, given = answer()) => compressed(asked, given).headers.get("content-encoding");

describe("large answers are compressed", () => {
  test("for clients on other machines", () => {
    const { headers } = compressed(request("[::ffff:192.0.2.7]:52064"), answer());
    expect(Object.fromEntries(headers)).toEqual({
      "content-type": "application/json",
      "content-encoding": "gzip",
      vary: "Accept-Encoding",
    });
    expect(encoding(request("192.0.2.7:1", "gzip"))).toBe("gzip");
  });

  test.each(["[::ffff:127.0.0.1]:52064", "127.0.0.1:1", "[::1]:1", undefined])("not for %s", (address) => {
    expect(encoding(request(address))).toBeNull();
  });

  test("not where they are small, or gzip is not asked for", () => {
    const far = "[::ffff:192.0.2.7]:1";
    expect(encoding(request(far), answer("Accept"))).toBeNull();
    expect(encoding(request(far, "br, gzip;q=0"))).toBeNull();
  });
});
