/** The recorded answers of kube-apiserver against a whole control plane, over HTTPS. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { effects } from "../../agent/effects.ts";
import { replay, type Send } from "../../worker/api/testing/golden.ts";
import { Client } from "../support/client.ts";
import { TestCluster } from "../support/cluster.ts";
import { goldenFiles } from "./cases.ts";

let cluster: TestCluster;
let client: Client;
let token = "";

beforeAll(async () => {
  cluster = await TestCluster.start({ flags: ["--no-agent", "--no-controllers"] });
  client = new Client(`https://127.0.0.1:${cluster.port}`, readFileSync(join(cluster.home, "tls/ca.crt"), "utf8"));
  token = /token: "?([^\s"]+)/.exec(readFileSync(join(cluster.home, "kubeconfig"), "utf8"))?.[1] ?? "";
});

afterAll(async () => {
  client?.close();
  await cluster?.stop();
});

/** Answers that may not have a body, says the class that holds them. */
const BODILESS = new Set([101, 204, 205, 304]);

const send: Send = async (path, init) => {
  const { status, text, headers, warnings } = await client.send({ ...init, path });
  const kept = new Headers();
  for (const [name, value] of Object.entries(headers)) if (typeof value === "string") kept.set(name, value);
  if (warnings.length > 0) kept.set("warning", warnings.join(", "));
  return new Response(BODILESS.has(status) ? null : text, { status, headers: kept });
};

const create = (path: string, body: object) =>
  send(path, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });

describe.each(goldenFiles())("as kube-apiserver answers: $file", ({ cases }) => {
  test.each(cases)("$area: $name", async (recorded) => {
    const ns = `${recorded.name}-abcd`;
    await create("/api/v1/namespaces", { metadata: { name: ns, labels: recorded.namespaceLabels } });
    await create(`/api/v1/namespaces/${ns}/serviceaccounts`, { metadata: { name: "default" } });
    expect(await replay(send, recorded, ns, { token, sleep: (ms) => effects.sleep(ms) })).toEqual([]);
  });
});
