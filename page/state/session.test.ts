import { afterEach, beforeEach, expect, test, vi } from "vitest";

/** What the cluster was asked to write, and whether it knows the token. */
let written: string[];
let isKnown: boolean;
let isSubscribed: boolean;

class Kept extends Map<string, string> {
  getItem = (key: string) => this.get(key) ?? null;
  setItem = (key: string, value: string) => void this.set(key, value);
  removeItem = (key: string) => void this.delete(key);
}

/** The page's state begins with its first import: in the browser of this test, whose clock stands still. */
async function session() {
  const globals = { sessionStorage: new Kept(), localStorage: new Kept(), addEventListener: () => {} };
  const subscription = {
    endpoint: "https://push.example",
    unsubscribe: async () => {
      isSubscribed = false;
    },
  };
  const pushManager = { getSubscription: async () => (isSubscribed ? subscription : null) };
  const navigator = { onLine: true, serviceWorker: { getRegistration: async () => ({ pushManager }) } };
  const document = { visibilityState: "visible", addEventListener: () => {} };
  const location = { pathname: "/ui/", href: "https://host/ui/" };
  async function fetch(path: string, { method = "GET" }: RequestInit) {
    if (method === "PATCH") written.push(path);
    return Response.json({ status: { userInfo: { username: "jane" } } }, { status: isKnown ? 200 : 401 });
  }
  for (const [name, value] of Object.entries({ ...globals, navigator, document, location, fetch }))
    vi.stubGlobal(name, value);
  return import("./session.ts");
}

beforeEach(() => {
  vi.useFakeTimers();
  [written, isKnown, isSubscribed] = [[], true, true];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("who logs out is told of alerts no more; whose token comes to its end is", async () => {
  const page = await session();
  await page.logIn("a-token", false);
  isKnown = false;
  await page.session.value?.client.json("/api/v1/pods").catch(() => undefined);
  expect([page.session.value, page.farewell.value, isSubscribed]).toEqual([
    undefined,
    "The cluster no longer knows your token. Log in again.",
    true,
  ]);
  isKnown = true;
  await page.logIn("a-token", false);
  page.logOut();
  expect(page.session.value).toBeUndefined();
  await vi.waitFor(() => expect(written).toEqual(["/api/v1/namespaces/kube-system/secrets/skerry-alerts-webpush"]));
  expect(isSubscribed).toBe(false);
});
