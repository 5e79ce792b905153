import { expect, test } from "vitest";
import { session } from "../testing/session.ts";

test("a browser more than there may be is refused, and those that are there are let be", () => {
  const { ok, send } = session();
  ok("POST", "/api/v1/namespaces", { metadata: { name: "kube-system" } });
  const secrets = "/api/v1/namespaces/kube-system/secrets";
  const data = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`subscription-${i}`, "e30="]));
  ok("POST", secrets, { metadata: { name: "skerry-alerts-webpush" }, data: { ...data, "vapid.jwk": "e30=" } });
  const patch = (more: object) =>
    send("PATCH", `${secrets}/skerry-alerts-webpush`, { data: more }, "application/merge-patch+json");
  const { code, body } = patch({ another: "e30=", "subscription-50": "e30=" });
  expect([code, body.message]).toEqual([
    422,
    'Secret "skerry-alerts-webpush" is invalid: data: Too many: 51: must have at most 50 items',
  ]);
  expect(patch({ another: "e30=" }).code).toBe(200);
  expect(patch({ "subscription-0": null, "subscription-50": "e30=" }).code).toBe(200);
});
