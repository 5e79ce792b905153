import { expect, test } from "vitest";
import type { Kind, WebhookConversion } from "../../kinds/kind.ts";
import type { KubeObject } from "../../lib/object.ts";
import { type Callout, type CalloutAnswer, CalloutsNeeded } from "../callouts/callouts.ts";
import { converted, needConverted } from "./webhook-conversion.ts";

const V1 = "example.com/v1";
const V2 = "example.com/v2";

/** A definition that nothing is known of yet. */
function definition(): { conversion: WebhookConversion; kind: Kind } {
  const client = { url: "https://example.com" };
  const conversion: WebhookConversion = { client, reviewVersions: ["v1"], storedAs: V1, served: [V1, V2] };
  return { conversion, kind: { apiVersion: V2, conversion } as Kind };
}

const backup = (name: string, text = ""): KubeObject =>
  ({ apiVersion: V1, kind: "Backup", metadata: { name }, spec: { text } }) as KubeObject;

const asV2 = ({ body }: Callout): CalloutAnswer => {
  const { request } = JSON.parse(body) as { request: { objects: KubeObject[] } };
  const convertedObjects = request.objects.map((object) => ({ ...object, apiVersion: V2 }));
  return { status: 200, body: JSON.stringify({ response: { result: { status: "Success" }, convertedObjects } }) };
};

/** Asks what must be asked for a list; of how many objects that was. */
function asked(kind: Kind, list: readonly KubeObject[], answer: (callout: Callout) => CalloutAnswer): number {
  try {
    needConverted(kind, list);
    return 0;
  } catch (error) {
    if (!(error instanceof CalloutsNeeded)) throw error;
    const [callout] = error.callouts as [Callout];
    callout.heard?.(answer(callout));
    return (JSON.parse(callout.body) as { request: { objects: unknown[] } }).request.objects.length;
  }
}

test("a failure is told once, however many objects it was about", () => {
  const { conversion, kind } = definition();
  const list = ["a", "b", "c"].map((name) => backup(name));
  expect(asked(kind, list, () => ({ failed: "down" }))).toBe(3);
  expect(() => converted(conversion, list[0] as KubeObject, V2)).toThrow("down");
  expect(asked(kind, list, asV2)).toBe(3);
  for (const object of list) expect(converted(conversion, object, V2).apiVersion).toBe(V2);
});

test("a list that is longer than what is kept is converted whole, and makes room for the next", () => {
  const { kind } = definition();
  const large = ["a", "b", "c", "d", "e", "f"].map((name) => backup(name, "x".repeat(2 ** 20)));
  expect(asked(kind, large.slice(0, 2), asV2)).toBe(2);
  expect(asked(kind, large, asV2)).toBe(4);
  expect(asked(kind, large, asV2)).toBe(0);
  expect(asked(kind, [backup("other")], asV2)).toBe(1);
  expect(asked(kind, large, asV2)).toBeGreaterThan(0);
});
