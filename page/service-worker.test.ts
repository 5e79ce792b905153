/** The service worker in a browser of the test's: its caches, the network and the events that it waits for. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const ORIGIN = "https://host";
type Listener = (event: object) => void;

const indexOf = (script: string) =>
  `<link rel="icon" href="icon.svg" /><script type="module" src="${script}"></script>`;
/** What the cluster serves by path; `undefined` is no network. */
let served: Record<string, string> | undefined;
/** By the cache's name, then by URL. */
let kept: Map<string, Map<string, string>>;
let isFull: boolean;
let windows: { focus(): Promise<void>; navigate(to: string): Promise<void> }[];
let opened: string[];
let workers = 0;

const urlOf = (key: string | { url: string }, base = `${ORIGIN}/ui/`) =>
  new URL(typeof key === "string" ? key : key.url, base).href;

async function answerTo(url: string): Promise<Response> {
  if (!served) throw new TypeError("no network");
  const text = served[new URL(url).pathname];
  return new Response(text ?? "none", { status: text === undefined ? 404 : 200 });
}

/** The worker of the page at this folder, after it was installed there. */
async function installed(folder = "/ui/") {
  const listeners = new Map<string, Listener>();
  const absolute = (key: string | { url: string }) => urlOf(key, ORIGIN + folder);
  const cache = (files: Map<string, string>) => ({
    match: async (key: string | { url: string }) => {
      const text = files.get(absolute(key));
      return text === undefined ? undefined : new Response(text);
    },
    async put(key: string | { url: string }, answer: Response) {
      if (isFull) throw new DOMException("there is no room", "QuotaExceededError");
      files.set(absolute(key), await answer.text());
    },
    async addAll(keys: string[]) {
      for (const key of keys) {
        const answer = await answerTo(absolute(key));
        if (!answer.ok) throw new TypeError(`${key}: ${answer.status}`);
        await this.put(key, answer);
      }
    },
    keys: async () => [...files.keys()].map((url) => ({ url })),
    delete: async (key: string | { url: string }) => files.delete(absolute(key)),
  });
  vi.stubGlobal("self", {
    location: { href: `${ORIGIN}${folder}service-worker.js` },
    addEventListener: (name: string, listener: Listener) => void listeners.set(name, listener),
    skipWaiting: async () => {},
    clients: {
      matchAll: async () => windows,
      openWindow: async (url: string) => void opened.push(url),
    },
  });
  vi.stubGlobal("caches", {
    async open(name: string) {
      if (!kept.has(name)) kept.set(name, new Map());
      return cache(kept.get(name) as Map<string, string>);
    },
  });
  vi.stubGlobal("fetch", (key: string | { url: string }) => answerTo(absolute(key)));
  const path = `./service-worker.js?${++workers}`; // each is one of its own
  await import(path);
  /** What the worker answers with, undefined where it leaves that to the browser; all that it began is over then. */
  const tell = async (name: string, event: object = {}): Promise<Response | undefined> => {
    const pending: Promise<unknown>[] = [];
    let answer: Promise<Response> | undefined;
    listeners.get(name)?.({
      ...event,
      waitUntil: (promise: Promise<unknown>) => void pending.push(promise),
      respondWith(promise: Promise<Response>) {
        answer = promise;
      },
    });
    const given = await answer;
    await Promise.all(pending);
    return given;
  };
  await tell("install");
  const ask = async (file: string, method = "GET") =>
    (await tell("fetch", { request: { method, url: `${ORIGIN}${folder}${file}` } }))?.text();
  return { tell, ask };
}

const namesIn = (cache = "shell /ui/") =>
  [...(kept.get(cache)?.keys() ?? [])].map((url) => url.replace(ORIGIN, "")).toSorted();

beforeEach(() => {
  served = { "/ui/": indexOf("main-1.js"), "/ui/main-1.js": "one", "/ui/icon.svg": "icon" };
  kept = new Map();
  isFull = false;
  windows = [];
  opened = [];
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test("the page is there without a network after the first visit, with what it names", async () => {
  const { ask } = await installed();
  served = undefined;
  expect([await ask(""), await ask("?code=of-a-login"), await ask("main-1.js")]).toEqual([
    indexOf("main-1.js"),
    indexOf("main-1.js"),
    "one",
  ]);
  await expect(ask("of-another.js")).rejects.toThrow("no network");
  expect([await ask("login"), await ask("", "POST"), await ask("../api/v1/pods")]).toEqual(Array(3).fill(undefined));
});

test("a new page takes the old one's place when all of it is kept", async () => {
  const { ask } = await installed();
  served = { "/ui/": indexOf("main-2.js"), "/ui/icon.svg": "icon" };
  expect(await ask("")).toBe(indexOf("main-2.js"));
  expect(namesIn()).toContain("/ui/main-1.js");
  served["/ui/main-2.js"] = "two";
  expect(await ask("")).toBe(indexOf("main-2.js"));
  expect(namesIn()).toEqual(["/ui/", "/ui/icon.svg", "/ui/main-2.js"]);
  await ask("main-2.js");
  served = undefined;
  expect([await ask(""), await ask("main-2.js")]).toEqual([indexOf("main-2.js"), "two"]);
});

test("where there is no room the page is as the cluster has it", async () => {
  const { ask } = await installed();
  isFull = true;
  served = { "/ui/": indexOf("main-2.js"), "/ui/main-2.js": "two", "/ui/icon.svg": "icon" };
  expect([await ask(""), await ask("main-2.js")]).toEqual([indexOf("main-2.js"), "two"]);
  kept.clear();
  await installed();
  vi.stubGlobal("caches", { open: async () => Promise.reject(new DOMException("none here", "SecurityError")) });
  expect(await ask("")).toBe(indexOf("main-2.js"));
  served = undefined;
  await expect(ask("")).rejects.toThrow("no network");
});

test("clusters of one origin keep pages of their own", async () => {
  await installed();
  served = { "/clusters/lab/ui/": indexOf("main-3.js"), "/clusters/lab/ui/main-3.js": "three" };
  served["/clusters/lab/ui/icon.svg"] = "icon";
  const { ask } = await installed("/clusters/lab/ui/");
  await ask("");
  expect(namesIn()).toEqual(["/ui/", "/ui/icon.svg", "/ui/main-1.js"]);
  expect(namesIn("shell /clusters/lab/ui/")).toContain("/clusters/lab/ui/main-3.js");
});

test("a message leads to the alerts, in a window that is open or a new one", async () => {
  const { tell } = await installed();
  const click = () => tell("notificationclick", { notification: { close: () => {} } });
  await click();
  expect(opened).toEqual(["./#/alerts"]);
  const done: string[] = [];
  windows = [{ focus: async () => void done.push("focus"), navigate: async (to) => void done.push(to) }];
  await click();
  expect([opened.length, done]).toEqual([1, ["focus", "./#/alerts"]]);
});
