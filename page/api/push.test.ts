import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { VAPID_KEY } from "../../worker/lib/facts/alerts.ts";
import { type Ask, StatusError } from "./client.ts";
import { clusterKey, forget, pointOf, subscribe, subscribedAs, unsubscribe } from "./push.ts";

type Body = { data?: Record<string, null>; stringData?: Record<string, string> };

const refused = (code: number) => new StatusError(code, "", `code ${code}`);

/** A cluster with one Secret at most. What is in `others` somebody else writes, each right before one of ours. */
function cluster(secret?: Record<string, string>, others: Record<string, string>[] = []) {
  let data = secret;
  const made: string[] = [];
  const json = async <T>(path: string, { method = "GET", body }: Ask = {}): Promise<T> => {
    made.push(`${method} ${path}`);
    if (method === "GET") {
      if (!data) throw refused(404);
      const base64 = Object.entries(data).map(([key, text]) => [key, btoa(text)]);
      return { metadata: { resourceVersion: "1" }, data: Object.fromEntries(base64) } as T;
    }
    const other = others.shift();
    if (other) {
      data = { ...data, ...other };
      throw refused(409);
    }
    if (method === "PATCH" && !data) throw refused(404);
    const { stringData, data: removed = {} } = body as Body;
    data = { ...data, ...stringData };
    for (const key of Object.keys(removed)) delete data[key];
    return {} as T;
  };
  return { json, made, data: () => data ?? {} };
}

const KEY = { x: "AQ", y: "Ag" };
const KEY_TEXT = JSON.stringify(KEY);

describe("the key that browsers know the cluster by", () => {
  test("is made once", async () => {
    const client = cluster();
    const key = await clusterKey(client);
    expect(pointOf(key)).toHaveLength(65);
    expect(pointOf(key)[0]).toBe(4);
    expect(await clusterKey(client)).toEqual(JSON.parse(JSON.stringify(key)));
    expect(client.made.filter((one) => one.startsWith("POST"))).toHaveLength(1);
  });

  test("is put in where the Secret has none", async () => {
    const client = cluster({ "subscription-a": "{}" });
    const key = await clusterKey(client);
    expect(client.data()).toEqual({ "subscription-a": "{}", [VAPID_KEY]: JSON.stringify(key) });
  });

  test.each([{ secret: undefined }, { secret: {} }])("is that of whoever was first: $secret", async ({ secret }) => {
    expect(await clusterKey(cluster(secret, [{ [VAPID_KEY]: KEY_TEXT }]))).toEqual(KEY);
    expect([...pointOf(KEY)]).toEqual([4, 1, 2]);
  });
});

describe("a browser", () => {
  type Subscription = { endpoint: string; options: { applicationServerKey: ArrayBuffer } };
  let present: Subscription | undefined;
  const ABOUT = { user: "jane", device: "Firefox on Linux" };

  function subscription(endpoint: string, key: Uint8Array<ArrayBuffer>) {
    const unsubscribe = async () => {
      present = undefined;
    };
    return { endpoint, options: { applicationServerKey: key.buffer }, toJSON: () => ({ endpoint }), unsubscribe };
  }

  beforeEach(() => {
    present = undefined;
    const pushManager = {
      getSubscription: async () => present ?? null,
      async subscribe({ applicationServerKey: key }: { applicationServerKey: Uint8Array<ArrayBuffer> }) {
        const wanted = [...key].join();
        if (present && [...new Uint8Array(present.options.applicationServerKey)].join() !== wanted)
          throw new DOMException("it has one of another key", "InvalidStateError");
        present ??= subscription(`https://push.example/${wanted}`, key);
        return present;
      },
    };
    vi.stubGlobal("navigator", { serviceWorker: { getRegistration: async () => ({ pushManager }) } });
    vi.stubGlobal("Notification", { requestPermission: async () => "granted" });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test("is subscribed with whose it is, and no more", async () => {
    const client = cluster({ [VAPID_KEY]: KEY_TEXT });
    const receiver = await subscribe(client, ABOUT);
    expect(await subscribedAs()).toBe(receiver);
    const key = receiver.replace("browser/", "subscription-");
    expect(JSON.parse(client.data()[key] ?? "")).toEqual({ endpoint: "https://push.example/4,1,2", ...ABOUT });
    await unsubscribe(client);
    expect([present, client.data()]).toEqual([undefined, { [VAPID_KEY]: KEY_TEXT }]);
  });

  test("that the cluster has forgotten, with its key, is subscribed by the new one", async () => {
    await subscribe(cluster({ [VAPID_KEY]: KEY_TEXT }), ABOUT);
    const client = cluster();
    const receiver = await subscribe(client, ABOUT);
    expect(await subscribedAs()).toBe(receiver);
    expect(Object.keys(client.data())).toEqual([VAPID_KEY, receiver.replace("browser/", "subscription-")]);
  });

  test.each([403, 404])("hears no more where the cluster answers %s", async (code) => {
    await subscribe(cluster(), ABOUT);
    const json = async () => {
      throw refused(code);
    };
    await unsubscribe({ json });
    expect(present).toBeUndefined();
    await expect(forget({ json }, "browser/a")).rejects.toThrow(`code ${code}`);
  });
});
