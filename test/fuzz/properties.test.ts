/** What holds for the objects of every built-in kind, asked of the whole API in this process. */
import { describe, expect, test } from "vitest";
import { testCluster } from "../../worker/api/testing/cluster.ts";
import { decodeProtobuf, encodeProtobuf } from "../../worker/kinds/protobuf/envelope.ts";
import { corpus, type KubeJson } from "./corpus.ts";
import { PROTOBUF_TYPE } from "./requests.ts";

const samples = corpus("fuzz");
const cluster = await prepared();
const stored = samples.filter(({ kind }) => kind.verbs.includes("get"));

async function prepared() {
  const made = await testCluster();
  await made.ask("POST", "/api/v1/namespaces", { metadata: { name: "fuzz" } });
  await made.ask("POST", "/api/v1/namespaces/fuzz/serviceaccounts", { metadata: { name: "default" } });
  return made;
}

const titled = (list: typeof samples) =>
  list.map((sample) => [`${sample.kind.apiVersion} ${sample.kind.kind}`, sample] as const);

/** Every change of one place in a value to one of `instead`; undefined takes the place out. */
function* changes(value: unknown, instead: readonly unknown[]): Generator<unknown> {
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) {
    const copy = () => structuredClone(value) as Record<string, unknown>;
    for (const other of instead) {
      const changed = copy();
      if (other === undefined) delete changed[key];
      else changed[key] = other;
      yield Array.isArray(value) && other === undefined ? value.filter((_, at) => String(at) !== key) : changed;
    }
    for (const inner of changes((value as Record<string, unknown>)[key], instead)) {
      const changed = copy();
      changed[key] = inner;
      yield Array.isArray(value) ? Object.values(changed) : changed;
    }
  }
}

describe("an object with one thing missing, empty or of another type is accepted or refused, and no fault", () => {
  test.each(titled(samples))(
    "%s",
    async (_, { object, collection }) => {
      const faults: unknown[] = [];
      for (const changed of changes(object, [undefined, null, {}, [], [null], "", "__proto__", 0, false])) {
        const { code, body } = await cluster.ask("POST", `${collection}?dryRun=All`, changed);
        if (code >= 500) faults.push([body.message, JSON.stringify(changed)]);
      }
      expect(faults).toEqual([]);
    },
    300_000,
  );
});

/** Places where `actual` has not what `expected` has; it may have more. */
function missing(expected: unknown, actual: unknown, at = ""): string[] {
  if (typeof expected !== "object" || expected === null || typeof actual !== "object" || actual === null)
    return expected === actual ? [] : [`${at}: ${JSON.stringify(expected)} is ${JSON.stringify(actual)}`];
  return Object.entries(expected).flatMap(([key, value]) =>
    missing(value, (actual as Record<string, unknown>)[key], `${at}/${key}`),
  );
}

describe("a valid object is accepted and read back as it was sent", () => {
  test.each(titled(stored))("%s", async (_, { object, collection }) => {
    const created = await cluster.ask("POST", collection, object);
    expect(created.code).toBe(201);
    expect(missing(object, created.body)).toEqual([]);
    const at = `${collection}/${object.metadata?.name}`;
    const { body: read } = await cluster.ask("GET", at);
    expect(missing(object, read)).toEqual([]);
    expect((await cluster.ask("PUT", at, read)).body).toEqual(read);
  });
});

/** Without what differs between one object and the next. */
function anonymous(object: KubeJson): KubeJson {
  const text = JSON.stringify({ ...object, metadata: { ...object.metadata, managedFields: undefined } });
  return JSON.parse(text.replaceAll(object.metadata?.uid || "no uid", ""));
}

describe("protobuf says what JSON says", async () => {
  const { ask, send } = await prepared();

  test.each(titled(samples))("%s", async (_, { object, collection }) => {
    const path = `${collection}?dryRun=All`;
    const sent = await send(path, {
      method: "POST",
      headers: { authorization: "Bearer admin", "content-type": PROTOBUF_TYPE, accept: PROTOBUF_TYPE },
      body: encodeProtobuf(object),
    });
    const inJson = await ask("POST", path, object);
    expect(inJson.code).toBe(201);
    expect(sent.status).toBe(201);
    const inProtobuf = decodeProtobuf(new Uint8Array(await sent.arrayBuffer()));
    const inBytes = (answer: KubeJson) => encodeProtobuf(anonymous(answer));
    expect(inBytes(inProtobuf as KubeJson)).toEqual(inBytes(inJson.body));
  });
});
