/** Hosts at which pods are shown: what the Cluster object is asked, and who is shown nothing. */
import { expect, test } from "vitest";
import { ApiError } from "../lib/status.ts";
import { type Forward, type ForwardParts, forwardHost, forwardSource, openForward, openForwards } from "./forward.ts";
import { Seal } from "./sealed-chunks.ts";

const ASKED = { namespace: "shop", pod: "web-0", uid: "u-1", port: 8080, scheme: "http" };
const GRANT = { node: "a", stream: { id: "1", kind: "proxy", scheme: "http", address: "10.0.0.1", port: 8080 } };
const SECRET = "a secret of the deployment that is long";

function prepared({ domain = "pods.example.com", secret = SECRET } = {}) {
  const state = {
    now: 1_000_000,
    refuse: undefined as Response | undefined,
    asked: [] as Request[],
    told: {} as object,
  };
  const answer = (request: Request) => {
    state.asked.push(request);
    return state.refuse?.clone() ?? Response.json(GRANT, { headers: { "x-skerry-grant": "1" } });
  };
  const parts: ForwardParts = {
    clusterOf: () => ({ fetch: async (request) => answer(request) }),
    toPod: async (cluster, _, request, headers) => {
      state.told = { cluster, url: request.url, headers };
      const answer = new Response("the pod's");
      for (const cookie of ["a=1; Domain=example.com; Path=/", "__Host-skerry-forward=x; Path=/", "b=2; Secure"])
        answer.headers.append("set-cookie", cookie);
      return answer;
    },
    seal: new Seal([secret]),
    domain,
    now: () => state.now,
  };
  const make = async (
    body: object = ASKED,
    { headers = {}, at = "https://api.example.com", cluster = "default", method = "POST" } = {},
  ) => {
    const given = { authorization: "Bearer mine", ...headers };
    const text = method === "POST" ? JSON.stringify(body) : undefined;
    try {
      const request = new Request(`${at}/skerry/forwards`, { method, headers: given, ...(text && { body: text }) });
      const made = await openForwards(request, cluster, parts);
      return { code: made.status, ...((await made.json()) as Forward) };
    } catch (error) {
      if (error instanceof ApiError) return { code: error.code, host: "", ticket: "", message: error.message };
      throw error;
    }
  };
  const at = async (host: string, path = "/", { headers = {}, method = "GET", body = "" } = {}) => {
    const request = new Request(`https://${host}${path}`, { method, headers, ...(body && { body }) });
    const answered = await openForward(request, host, parts);
    return { code: answered.status, headers: answered.headers, text: await answered.text() };
  };
  const open = (host: string, ticket: string) =>
    at(host, "/skerry/open", { method: "POST", body: new URLSearchParams({ ticket }).toString() });
  const session = async () => {
    const { host, ticket } = await make();
    const cookie = (await open(host, ticket)).headers.get("set-cookie")?.split(";")[0] ?? "";
    return { host, ticket, cookie };
  };
  return { state, make, at, open, session };
}

/** A request has come to the pod. */
const LET_THROUGH = 200;

test("who may be shown the pod gets a host of its own and a ticket that becomes a cookie of that host alone", async () => {
  const { state, make, open, at } = prepared();
  const { code, host, ticket } = await make();
  expect([code, /^fwd-[0-9a-f]{32}\.pods\.example\.com$/.test(host)]).toEqual([200, true]);
  const [check] = state.asked;
  expect(check?.url).toBe("https://cluster/api/v1/namespaces/shop/pods/http:web-0:8080/proxy/");
  expect(Object.fromEntries(check?.headers ?? [])).toMatchObject({
    authorization: "Bearer mine",
    "x-skerry-internal": "stream-check",
    "x-skerry-cluster": "default",
    "x-skerry-pod-uid": "u-1",
  });
  const opened = await open(host, ticket);
  expect([opened.code, opened.headers.get("location")]).toEqual([200, null]);
  expect(opened.text).toContain('http-equiv="refresh" content="0;url=/"');
  const cookie = opened.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/^__Host-skerry-forward=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=28800$/);
  for (const text of [ticket, atob(ticket.replaceAll("-", "+").replaceAll("_", "/")), cookie, host])
    expect(text).not.toContain("mine");
  const headers = { cookie: `theirs=1; ${cookie.split(";")[0]}` };
  expect(await at(host, "/x", { headers, method: "PUT" })).toMatchObject({ code: 200, text: "the pod's" });
  expect(state.asked.at(-1)?.method).toBe("PUT");
  expect(state.asked.at(-1)?.headers.get("x-skerry-internal")).toBe("stream");
});

test("the pod is not told of the cookie, and its own ones stay at its host", async () => {
  const { state, at, session } = prepared();
  const { host, cookie } = await session();
  const shown = await at(host, "/a?b", { headers: { cookie: `a=1; ${cookie}; b=2`, authorization: "Basic theirs" } });
  expect(shown.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2; Secure"]);
  expect(state.told).toMatchObject({ cluster: "default", url: `https://${host}/a?b` });
  const told = JSON.stringify(state.told);
  expect(told).toContain('["cookie","a=1; b=2"],["x-forwarded-host"');
  expect(told).toContain('["authorization","Basic theirs"]');
  await at(host, "/", { headers: { cookie } });
  expect(JSON.stringify(state.told)).not.toContain("cookie");
});

test("the same pod, port and credential have the same host, and all others another", async () => {
  const { make } = prepared();
  const { host } = await make();
  expect((await make()).host).toBe(host);
  const others = [
    await make({ ...ASKED, uid: "u-2" }),
    await make({ ...ASKED, port: 80 }),
    await make({ ...ASKED, scheme: "https" }),
    await make(ASKED, { headers: { authorization: "Bearer other" } }),
    await make(ASKED, { cluster: "lab" }),
    await prepared({ secret: SECRET.replace("a", "b") }).make(),
  ];
  expect(new Set([host, ...others.map((other) => other.host)]).size).toBe(7);
});

test("without a cookie that is of the host and not over nothing is shown, nor is the cluster asked", async () => {
  const { state, at, session, make, open } = prepared();
  const { host, cookie, ticket } = await session();
  const { host: another } = await make({ ...ASKED, port: 81 });
  const asked = state.asked.length;
  const changed = `${cookie.slice(0, -1)}${cookie.endsWith("A") ? "B" : "A"}`;
  for (const wrong of ["", "x=y", changed, "__Host-skerry-forward=", `__Host-skerry-forward=${ticket}`])
    expect((await at(host, "/", { headers: { cookie: wrong } })).code).toBe(403);
  expect((await at(another, "/", { headers: { cookie } })).code).toBe(403);
  expect((await open(another, ticket)).code).toBe(403);
  expect((await open(host, cookie.split("=")[1] ?? "")).code).toBe(403);
  expect((await open(host, "")).headers.has("set-cookie")).toBe(false);
  const elsewhere = prepared({ secret: "another deployment's secret, as long" });
  expect((await elsewhere.at(host, "/", { headers: { cookie } })).code).toBe(403);
  expect((await at(host, "/", { headers: { cookie } })).code).toBe(LET_THROUGH);
  state.now += 8 * 3_600_000;
  expect((await at(host, "/", { headers: { cookie } })).text).toContain("not any more");
  expect(state.asked.length).toBe(asked + 1);
});

test("a ticket is good for a minute", async () => {
  const { state, make, open } = prepared();
  const { host, ticket } = await make();
  state.now += 59_000;
  expect((await open(host, ticket)).code).toBe(200);
  state.now += 1_000;
  expect((await open(host, ticket)).code).toBe(403);
});

test("a credential that was revoked, or a pod that is another, is shown no more", async () => {
  const { state, at, session } = prepared();
  const { host, cookie } = await session();
  const status = (code: number, message: string) => Response.json({ message }, { status: code });
  state.refuse = status(401, "Unauthorized");
  expect(await at(host, "/", { headers: { cookie } })).toMatchObject({
    code: 403,
    text: "The login by which this was opened is over: open it anew.\n",
  });
  state.refuse = status(404, 'pods "web-0" not found');
  const gone = await at(host, "/", { headers: { cookie } });
  expect([gone.code, gone.text, gone.headers.get("content-type")]).toEqual([
    404,
    'pods "web-0" not found\n',
    "text/plain; charset=utf-8",
  ]);
});

test.each([
  [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }, 403],
  [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "websocket", "sec-fetch-dest": "websocket" }, 403],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" }, 403],
  [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }, LET_THROUGH],
  [{ "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" }, LET_THROUGH],
  [{ "sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }, LET_THROUGH],
  // As Chromium opens WebSockets.
  [{ origin: "https://fwd-other.pods.example.com", upgrade: "websocket" }, 403],
  [{ origin: "null", upgrade: "websocket" }, 403],
  [{ origin: "own", upgrade: "websocket" }, LET_THROUGH],
])("pages elsewhere may link to it and no more: %o", async (said, code) => {
  const { at, session } = prepared();
  const { host, cookie } = await session();
  const headers: Record<string, string> = { cookie, ...said };
  if (headers.origin === "own") headers.origin = `https://${host}`;
  expect((await at(host, "/", { headers })).code).toBe(code);
});

test("a page elsewhere may not post there, even by a form in a tab", async () => {
  const { at, session } = prepared();
  const { host, cookie } = await session();
  const said = { "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  expect((await at(host, "/buy", { method: "POST", body: "x", headers: { cookie, ...said } })).code).toBe(403);
});

test.each([
  [{ ...ASKED, pod: "../nodes/x" }, "pod must be a name"],
  [{ ...ASKED, namespace: "a/b" }, "namespace must be a name"],
  [{ ...ASKED, uid: "" }, "uid must be a name"],
  [{ ...ASKED, port: 0 }, "port must be 1 to 65535"],
  [{ ...ASKED, port: "80" }, "port must be 1 to 65535"],
  [{ ...ASKED, scheme: "ftp" }, "scheme must be http or https"],
])("refused: %o", async (body, message) => {
  const { make, state } = prepared();
  expect(await make(body)).toMatchObject({ code: 400, message });
  expect(state.asked).toEqual([]);
});

test("who says no bearer token, acts as another, has one that is too long or may not is refused", async () => {
  const { make, state } = prepared();
  expect((await make(ASKED, { headers: { authorization: "Basic eA==" } })).code).toBe(401);
  expect((await make(ASKED, { headers: { "impersonate-user": "eva" } })).code).toBe(400);
  expect((await make(ASKED, { headers: { authorization: `Bearer ${"x".repeat(3000)}` } })).code).toBe(413);
  expect((await make(ASKED, { method: "GET" })).code).toBe(405);
  state.refuse = Response.json({ message: "no" }, { status: 403 });
  expect(await make()).toMatchObject({ code: 403, message: "no" });
});

test("without a domain only this machine's own browser has hosts for it", async () => {
  const { make } = prepared({ domain: "" });
  for (const own of ["localhost", "127.0.0.1", "[::1]"])
    expect((await make(ASKED, { at: `https://${own}:6443` })).host).toMatch(/^fwd-\w{32}\.skerry\.localhost:6443$/);
  for (const other of ["192.0.2.1", "api.example.com", "localhost.example.com"])
    expect((await make(ASKED, { at: `https://${other}` })).code).toBe(501);
});

test.each([
  ["https://localhost:6443/ui/", undefined, "https://*.skerry.localhost:6443"],
  ["https://192.0.2.1:6443/ui/", undefined, "'none'"],
  ["https://api.example.com/ui/", "pods.example.com", "https://*.pods.example.com"],
])("forms of the page at %s with the domain %s go to %s", (url, domain, source) => {
  expect(forwardSource(new URL(url), domain)).toBe(source);
});

const HOST = "fwd-0123.pods.example.com";

test.each([
  ["https://fwd-0123.pods.example.com/", HOST],
  ["https://fwd-0123.pods.example.com:8443/api/v1/pods", HOST],
  ["https://FWD-0123.Pods.Example.COM./x", HOST],
  ["https://%66wd-0123.pods.example.com/", HOST],
  ["https://x@fwd-0123.pods.example.com/", HOST],
  ["https://fwd-0123.pods.example.com?x", HOST],
  ["https://fwd-anything.at.all.pods.example.com/", "fwd-anything.at.all.pods.example.com"],
  ["https://pods.example.com/", undefined],
  ["https://api.pods.example.com/fwd-0123.pods.example.com", undefined],
  ["https://fwd-0123.example.com/", undefined],
  ["https://fwd-0123.pods.example.com.evil.com/", undefined],
  ["https://fwd-0123pods.example.com/", undefined],
  ["https://fwd-0123.skerry.localhost/", undefined],
  ["https://[::1]:6443/?x=//fwd-0123.pods.example.com", undefined],
])("%s is at the host of a forward: %s", (url, host) => {
  expect(forwardHost(url, "pods.example.com")).toBe(host);
});

test("where no domain is set such hosts are in localhost", () => {
  expect(forwardHost("https://fwd-1.skerry.localhost:6443/", undefined)).toBe("fwd-1.skerry.localhost");
  expect(forwardHost("https://fwd-1.skerry.localhost:6443/", "")).toBe("fwd-1.skerry.localhost");
});

test("the domain may be written in any way", async () => {
  for (const domain of ["Pods.Example.COM", "pods.example.com.", "pöds.example.com"]) {
    const { make, open } = prepared({ domain });
    const { host, ticket } = await make();
    expect(forwardHost(`https://${host}/`, domain)).toBe(host);
    expect((await open(host, ticket)).code).toBe(200);
  }
  expect(forwardSource(new URL("https://api.example.com"), "no domain")).toBe("'none'");
});
