import { expect, test } from "vitest";
import { StatusError } from "./client.ts";
import { forwardLine, forwardTo } from "./forwards.ts";
import type { Pod } from "./objects.ts";

const pod = { metadata: { namespace: "shop", name: "web", uid: "u1" } } as Pod;
const refusing = (code: number) => ({ json: () => Promise.reject(new StatusError(code, "", "no")) });

test("a forward is asked for by the pod's uid; no hosts for it is no fault, all else is", async () => {
  const asked: unknown[] = [];
  const json = async <T>(...with_: unknown[]) => {
    asked.push(...with_);
    return { host: "h", ticket: "t" } as T;
  };
  expect(await forwardTo({ json }, pod, { port: 80, scheme: "http" })).toEqual({ host: "h", ticket: "t" });
  const body = { namespace: "shop", pod: "web", uid: "u1", port: 80, scheme: "http" };
  expect(asked).toEqual(["/skerry/forwards", { method: "POST", body }]);
  expect(await forwardTo(refusing(501), pod, { port: 80, scheme: "http" })).toBeUndefined();
  await expect(forwardTo(refusing(403), pod, { port: 80, scheme: "http" })).rejects.toThrow("no");
});

test("kubectl's line takes a port that needs no root", () => {
  expect(forwardLine(pod, { port: 80, scheme: "http" })).toBe("kubectl port-forward -n shop pod/web 8080:80");
  expect(forwardLine(pod, { port: 3000, scheme: "http" })).toBe("kubectl port-forward -n shop pod/web 3000:3000");
});
