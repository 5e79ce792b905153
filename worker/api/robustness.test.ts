import fc from "fast-check";
import { expect, test } from "vitest";
import { testCluster } from "./testing/cluster.ts";
import { KNOWN_FAULTS } from "./testing/known-faults.ts";

const { send, store, ask } = await testCluster();
const container = { name: "c", image: "busybox" };
const template = { metadata: { labels: { a: "a" } }, spec: { containers: [container] } };
await ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
await ask("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: "a" }, data: { a: "a" } });
await ask("POST", "/api/v1/namespaces/default/pods", {
  metadata: { name: "a" },
  spec: { ...template.spec, nodeName: "n1" },
});
await ask("POST", "/apis/apps/v1/namespaces/default/deployments", {
  metadata: { name: "a" },
  spec: { selector: { matchLabels: { a: "a" } }, template },
});

const words =
  "api apis v1 apps namespaces default pods nodes deployments configmaps a log exec status scale watch proxy eviction binding token serviceaccounts tokenreviews authentication.k8s.io subjectaccessreviews authorization.k8s.io skerry tokens join %ff %2e%2e ä  openapi v3 v2 version".split(
    " ",
  );
const anyPath = fc.array(fc.constantFrom(...words), { maxLength: 7 }).map((parts) => `/${parts.join("/")}`);
const collections = [
  "api/v1/namespaces/default/pods",
  "api/v1/namespaces/default/configmaps",
  "api/v1/namespaces/default/services",
  "api/v1/nodes",
  "apis/apps/v1/namespaces/default/deployments",
  "apis/rbac.authorization.k8s.io/v1/clusterroles",
];
const subresources = [
  "api/v1/namespaces/default/pods/a/status",
  "api/v1/namespaces/default/pods/a/ephemeralcontainers",
  "apis/apps/v1/namespaces/default/deployments/a/status",
  "apis/apps/v1/namespaces/default/deployments/a/scale",
];
const posts = [
  "api/v1/namespaces/default/pods/a/eviction",
  "api/v1/namespaces/default/pods/a/binding",
  "api/v1/namespaces/default/pods/a/exec",
  "api/v1/namespaces/default/serviceaccounts/default/token",
  "apis/authorization.k8s.io/v1/subjectaccessreviews",
  "apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
  "apis/authentication.k8s.io/v1/tokenreviews",
  "skerry/tokens",
  "skerry/join",
];
/** Requests that have a handler. */
const served = [
  ...collections.flatMap((path) => [
    ["GET", path],
    ["POST", path],
    ...["GET", "PUT", "PATCH", "DELETE"].map((method) => [method, `${path}/a`]),
  ]),
  ...subresources.flatMap((path) => ["GET", "PUT", "PATCH"].map((method) => [method, path])),
  ...posts.map((path) => ["POST", path]),
  ["GET", "api/v1/namespaces/default/pods/a/log"],
].map(([method = "", path]) => [method, `/${path}`] as const);
const target = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"), anyPath),
  },
  { weight: 5, arbitrary: fc.constantFrom(...served) },
);
const query = fc.dictionary(
  fc.constantFrom(
    ..."watch limit continue resourceVersion resourceVersionMatch labelSelector fieldSelector pretty dryRun fieldManager fieldValidation container tailLines command timeoutSeconds includeObject force sendInitialEvents hash gracePeriodSeconds propagationPolicy".split(
      " ",
    ),
  ),
  fc.oneof(
    fc.constantFrom(..."1 0 true -1  All a=b x Strict metadata.name=a 1e9 9999999999999999999999".split(" ")),
    fc.string(),
  ),
  { maxKeys: 3 },
);
const odd = fc.oneof(fc.constantFrom(null, 0, -1, "", "a", true, [], {}, [null], [{}], { a: null }), fc.anything());
const field = fc.constantFrom(
  ..."spec status data metadata rules subjects roleRef kind apiVersion containers replicas selector template labels name nodeName user token resourceAttributes boundObjectRef expirationSeconds target op path value".split(
    " ",
  ),
);
const object = fc.dictionary(
  field,
  fc.oneof(
    odd,
    fc.dictionary(field, odd, { maxKeys: 3 }),
    fc.array(fc.dictionary(field, odd, { maxKeys: 3 }), { maxLength: 2 }),
  ),
  { maxKeys: 4 },
);
const named = fc
  .tuple(object, fc.constantFrom("a", "b", "A_", ""))
  .map(([value, name]) => ({ ...value, metadata: { name } }));
const json = (value: unknown) => {
  try {
    return JSON.stringify(value);
  } catch {
    return "{}";
  }
};
const operation = fc.record({
  op: fc.constantFrom("add", "remove", "replace", "test", "move", "copy", "x"),
  path: fc.constantFrom(
    ..." / /- x /data/k /spec/replicas /spec/containers/0 /spec/containers/- /spec /status /metadata /metadata/labels /metadata/labels/a".split(
      " ",
    ),
  ),
  from: fc.constantFrom("/data", "/spec", "/metadata/name", "/x"),
  value: odd,
});
const body = fc.oneof(
  { weight: 1, arbitrary: fc.oneof(fc.constant(undefined), fc.string(), fc.json()) },
  { weight: 1, arbitrary: object.map(json) },
  { weight: 3, arbitrary: named.map(json) },
  { weight: 1, arbitrary: fc.array(operation, { minLength: 1, maxLength: 3 }).map(json) },
);
const patches = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];
const contentType = (method: string) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...(method === "PATCH" ? patches : ["application/json"])) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ...patches,
        "application/json",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
        "text/html",
        "",
      ),
    },
  );
const accept = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("application/json", "application/json;as=Table;v=v1;g=meta.k8s.io") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "application/yaml",
      "text/plain",
      "*/*;q=x",
      ";;,",
      "application/vnd.kubernetes.protobuf",
    ),
  },
);
const others = fc.record(
  {
    "sec-websocket-protocol": fc.constantFrom("v5.channel.k8s.io", "x"),
    upgrade: fc.constantFrom("websocket", "SPDY/3.1"),
    "user-agent": fc.constantFrom("curl/8", "kubectl/v1", ""),
  },
  { requiredKeys: [] },
);
/** Mostly the administrator, so that most requests get beyond the door. */
const identity = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ authorization: "Bearer admin" }) },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        authorization: fc.constantFrom(
          "Bearer admin",
          "Bearer x",
          "Bearer a.b.c",
          "Bearer",
          "Basic eDp5",
          "bearer  admin",
        ),
        "impersonate-user": fc.constantFrom("jane", "system:node:n1", "system:serviceaccount:a:b", "%"),
        "impersonate-group": fc.constantFrom("system:nodes", "system:masters", ","),
        "impersonate-extra-%": fc.constantFrom("x"),
      },
      { requiredKeys: [] },
    ),
  },
);

const request = target.chain(([method, where]) =>
  fc.record({
    method: fc.constant(method),
    where: fc.constant(where),
    parameters: query,
    type: contentType(method),
    accepted: accept,
    other: others,
    who: identity,
    text: body,
  }),
);

test("whatever is asked, the answer is a plain 404, a document, or a Status, and never a fault of ours", async () => {
  await fc.assert(
    fc.asyncProperty(request, async ({ method, where, parameters, type, accepted, other, who, text }) => {
      // What is deleted would leave the rest of the run with nothing to talk about.
      const kept: Record<string, string> = method === "DELETE" ? { dryRun: "All" } : {};
      const url = `${where}?${new URLSearchParams({ ...parameters, ...kept })}`;
      const withBody = text !== undefined && !["GET", "HEAD", "DELETE"].includes(method);
      const response = await send(url, {
        method,
        headers: { accept: accepted, "content-type": type, ...other, ...who },
        ...(withBody && { body: text }),
      });
      const answer = await response.text();
      if (response.status === 500 && !KNOWN_FAULTS.test(answer)) throw new Error(answer);
      if (response.status >= 400 && response.headers.get("content-type") === "application/json" && method !== "HEAD")
        expect(JSON.parse(answer)).toMatchObject({ kind: "Status", status: "Failure", code: response.status });
    }),
    { numRuns: 300, seed: 20260102 },
  );
  expect(store.get({ resource: "namespaces", namespace: "", name: "default" })).toBeDefined();
});
