import { describe, expect, test } from "vitest";
import { VAPID_KEY } from "../../worker/lib/facts/alerts.ts";
import { type Ask, StatusError } from "./client.ts";
import { clusterKey, pointOf } from "./push.ts";

/** A cluster with one Secret at most; `other` is made by somebody else right before ours. */
function cluster(other?: object) {
  let secret: { data: Record<string, string> } | undefined;
  const made: string[] = [];
  const json = async <T>(path: string, { method = "GET", body }: Ask = {}): Promise<T> => {
    made.push(`${method} ${path}`);
    if (method === "GET") {
      if (!secret) throw new StatusError(404, "NotFound", "there is none");
      return secret as T;
    }
    const { stringData } = body as { stringData: Record<string, string> };
    secret = { data: { [VAPID_KEY]: btoa(other ? JSON.stringify(other) : (stringData[VAPID_KEY] ?? "")) } };
    if (other) throw new StatusError(409, "AlreadyExists", "it is there");
    return secret as T;
  };
  return { json, made };
}

describe("the key that browsers know the cluster by", () => {
  test("is made once", async () => {
    const client = cluster();
    const key = await clusterKey(client);
    expect(pointOf(key)).toHaveLength(65);
    expect(pointOf(key)[0]).toBe(4);
    expect(await clusterKey(client)).toEqual(JSON.parse(JSON.stringify(key)));
    expect(client.made.filter((one) => one.startsWith("POST"))).toHaveLength(1);
  });

  test("is that of whoever was first", async () => {
    expect(await clusterKey(cluster({ x: "AQ", y: "Ag" }))).toEqual({ x: "AQ", y: "Ag" });
    expect([...pointOf({ x: "AQ", y: "Ag" })]).toEqual([4, 1, 2]);
  });
});
