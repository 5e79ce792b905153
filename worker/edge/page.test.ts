import { expect, test } from "vitest";
import { isPage, openPage } from "./page.ts";

const files = {
  fetch: async (url: string) =>
    url === "https://page/index.html" || url === "https://page/main-ABCDEFGH.js"
      ? new Response("bytes", { headers: { "content-type": "application/octet-stream" } })
      : new Response("", { status: 404 }),
};

const ask = (path: string, { method = "GET", outside = path } = {}) =>
  openPage(new Request(`https://host${path}`, { method }), outside, files);

test("only browsers get the page where the API lists its paths", () => {
  const from = (accept: string) => new Request("https://host/", { headers: { accept } });
  expect(isPage(from("text/html,application/xhtml+xml"), "/")).toBe(true);
  expect(isPage(from("application/json"), "/")).toBe(false);
  expect(isPage(from("application/json"), "/ui/")).toBe(true);
  expect(isPage(from("text/html"), "/uid")).toBe(false);
  expect(isPage(from("text/html"), "/api")).toBe(false);
});

test.each([
  ["/", "/", "/ui/"],
  ["/ui", "/ui", "/ui/"],
  ["/", "/clusters/lab/", "/clusters/lab/ui/"],
  ["/", "/clusters/lab", "/clusters/lab/ui/"],
  ["/ui", "/clusters/lab/ui", "/clusters/lab/ui/"],
])("%s, asked for as %s, leads to %s", async (path, outside, location) => {
  const answer = await ask(path, { outside });
  expect([answer.status, answer.headers.get("location")]).toEqual([302, location]);
});

test("files have their types; what is named by its content is kept, the rest asked for anew", async () => {
  const index = await ask("/ui/");
  expect(index.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(index.headers.get("cache-control")).toBe("no-cache");
  expect(index.headers.get("content-security-policy")).toContain("default-src 'none'");
  const script = await ask("/ui/main-ABCDEFGH.js");
  expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  expect(script.headers.get("cache-control")).toContain("immutable");
  expect(await (await ask("/ui/", { method: "HEAD" })).text()).toBe("");
});

test.each(["/ui/none.js", "/ui/a/b.js", "/ui/constructor", "/ui/..%2findex.html", "/ui/.hidden", "/ui/x.toString"])(
  "%s is no file",
  async (path) => {
    expect((await ask(path)).status).toBe(404);
  },
);

test("it takes nothing", async () => {
  expect((await ask("/ui/", { method: "POST" })).status).toBe(405);
});
