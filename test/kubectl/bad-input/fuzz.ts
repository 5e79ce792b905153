/** Random requests made of known ones, with something broken; the same seed makes the same requests. */
import type { Row } from "./row.ts";

export type Random = () => number;

/** Mulberry32: uniform in [0, 1). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

const ODD: readonly unknown[] = [
  null,
  0,
  -1,
  1e308,
  2 ** 53,
  "",
  "\u0000",
  "../..",
  "ä€😀",
  "__proto__",
  true,
  [],
  {},
  [[]],
  [null],
  { a: null },
  "x".repeat(300),
  "9".repeat(30),
];
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"];
const TYPES = [
  "application/json",
  "application/yaml",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
  "application/vnd.kubernetes.protobuf",
  "text/plain",
  "",
];
const PARAMETERS = [
  "limit",
  "continue",
  "resourceVersion",
  "resourceVersionMatch",
  "labelSelector",
  "fieldSelector",
  "fieldManager",
  "fieldValidation",
  "force",
  "pretty",
  "gracePeriodSeconds",
  "propagationPolicy",
  "includeObject",
  "container",
  "tailLines",
  "command",
];
const PLACES = [
  "/api/v1/nodes",
  "/api/v1/namespaces",
  "/apis/rbac.authorization.k8s.io/v1/clusterroles",
  "/apis/discovery.k8s.io/v1/endpointslices",
  "/apis/coordination.k8s.io/v1/leases",
  "/api/v1/namespaces/bad/secrets",
  "/apis",
  "/openapi/v3",
  "/skerry/join",
  "/relay/a/b",
  "/clusters/x/api",
];

/** The value with one place in it replaced, removed or repeated. */
function mutated(random: Random, value: unknown): unknown {
  if (typeof value !== "object" || value === null || random() < 0.15) return structuredClone(pick(random, ODD));
  const keys = Object.keys(value);
  if (keys.length === 0) return structuredClone(pick(random, ODD));
  const key = pick(random, keys);
  const changed = structuredClone(value) as Record<string, unknown>;
  const chance = random();
  if (chance < 0.1) delete changed[key];
  else if (chance < 0.2) changed[`${key}x`] = changed[key];
  else changed[key] = mutated(random, changed[key]);
  return changed;
}

/** Text with a few of its characters changed, cut or doubled. */
function garbled(random: Random, text: string): string {
  const at = Math.floor(random() * text.length);
  const chance = random();
  if (chance < 0.3) return text.slice(0, at);
  if (chance < 0.6)
    return text.slice(0, at) + pick(random, ["{", "}", "[", '"', "\\", "\u0000", ",", "é"]) + text.slice(at + 1);
  return text.slice(0, at) + text.slice(at, at + 40) + text.slice(at);
}

export function fuzzed(random: Random, known: readonly Row[]): Pick<Row, "ask" | "body" | "headers"> {
  const row = pick(random, known);
  let [method = "GET", path = "/"] = row.ask.split(" ");
  if (random() < 0.15) method = pick(random, METHODS);
  if (random() < 0.15) path = pick(random, PLACES);
  const query = new URLSearchParams(path.split("?")[1] ?? "");
  while (random() < 0.3) query.set(pick(random, PARAMETERS), String(pick(random, ODD)));
  query.delete("watch");
  // What is deleted would leave the rest with nothing to talk about.
  if (method === "DELETE") query.set("dryRun", "All");
  const { body } = row;
  const changed = typeof body === "object" && !Buffer.isBuffer(body) ? mutated(random, body) : body;
  let text =
    changed === undefined || typeof changed === "string"
      ? changed
      : Buffer.isBuffer(changed)
        ? changed.toString()
        : JSON.stringify(changed);
  if (text && random() < 0.2) text = garbled(random, text);
  const headers = { ...row.headers };
  if (random() < 0.1) headers["content-type"] = pick(random, TYPES);
  if (random() < 0.1)
    headers.accept = pick(random, [
      "application/yaml",
      "*/*;q=x",
      "application/json;as=Table;v=v1;g=meta.k8s.io",
      "application/vnd.kubernetes.protobuf",
      ";;,",
    ]);
  const sends = text !== undefined && method !== "GET" && method !== "HEAD" && method !== "DELETE";
  return { ask: `${method} ${path.split("?")[0]}?${query}`, headers, ...(sends ? { body: text as string } : {}) };
}
