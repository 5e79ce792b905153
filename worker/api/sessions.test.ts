import { describe, expect, test } from "vitest";
import { decodeProtobuf } from "../kinds/protobuf/envelope.ts";
import samples from "../kinds/protobuf/samples.json" with { type: "json" };
import { testCluster } from "./testing/cluster.ts";

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";

describe("objects over HTTP", async () => {
  const { ask, send } = await testCluster();

  test("a ConfigMap is created, read, listed, patched and deleted", async () => {
    const path = "/api/v1/namespaces/kube-public/configmaps";
    const created = await ask("POST", path, { metadata: { name: "a" }, data: { k: "v" } });
    expect([created.code, created.body.data]).toEqual([201, { k: "v" }]);
    expect((await ask("GET", `${path}/a`)).body.metadata.uid).toBe(created.body.metadata.uid);
    expect((await ask("GET", path)).body.items).toHaveLength(1);
    const patched = await ask(
      "PATCH",
      `${path}/a`,
      { data: { k: null, l: "w" } },
      { "content-type": "application/merge-patch+json" },
    );
    expect(patched.body.data).toEqual({ l: "w" });
    expect(await ask("DELETE", `${path}/a`)).toMatchObject({ code: 200, body: { kind: "Status", status: "Success" } });
    expect((await ask("GET", `${path}/a`)).code).toBe(404);
  });

  test("what is odd about a body is told also when it is refused, to the one who sent it", async () => {
    const path = "/api/v1/namespaces/kube-public/configmaps";
    const refused = await ask("POST", path, { metadata: { name: "No" }, extra: 1 });
    expect([refused.code, refused.headers.get("warning")]).toEqual([422, '299 - "unknown field \\"extra\\""']);
    expect((await ask("POST", path, { metadata: { name: "NO" } })).headers.get("warning")).toBeNull();
  });

  test("an answer about a deprecated kind says so, whatever was asked", async () => {
    const path = "/api/v1/namespaces/default/endpoints";
    const deprecated = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
    for (const url of [path, `${path}/none`])
      expect((await ask("GET", url)).headers.get("warning")).toBe(`299 - "${deprecated}"`);
    expect((await ask("POST", path, { metadata: { name: "a" } })).headers.get("warning")).toBe(`299 - "${deprecated}"`);
  });

  test("a review is no table", async () => {
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const review = { spec: { nonResourceAttributes: { path: "/", verb: "get" } } };
    const { code, body } = await ask("POST", path, review, { accept: TABLE });
    expect([code, body.message]).toEqual([
      406,
      "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    ]);
  });

  test("kubectl's table has the columns that kubectl prints", async () => {
    const { body } = await ask("GET", "/api/v1/namespaces", undefined, { accept: `${TABLE},application/json` });
    expect(body.kind).toBe("Table");
    expect(body.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(["Name", "Status", "Age"]);
    expect(body.rows.map(({ cells }: { cells: unknown[] }) => cells[0])).toContain("kube-system");
  });

  test("a table's columns are described: by what is said of their fields, or in words of their own", async () => {
    const { body } = await ask("GET", "/api/v1/pods", undefined, { accept: TABLE });
    const texts = Object.fromEntries(
      body.columnDefinitions.map(({ name, description }: Record<string, string>) => [name, description]),
    );
    expect(texts.Name).toMatch(/^Name must be unique within a namespace\./);
    expect(texts.Node).toMatch(/^NodeName /);
    expect(texts.Ready).toBe("The aggregate readiness state of this pod for accepting traffic.");
  });

  test("every answer carries an audit id and is kept from caches", async () => {
    const { headers } = await ask("GET", "/api/v1/namespaces");
    expect(headers.get("audit-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get("cache-control")).toBe("no-cache, private");
  });

  test("kubectl's protobuf bodies are understood", async () => {
    const body = Uint8Array.from(atob(samples.configmaps), (letter) => letter.charCodeAt(0));
    const headers = { authorization: "Bearer admin", "content-type": "application/vnd.kubernetes.protobuf" };
    const path = "/api/v1/namespaces/default/configmaps?fieldValidation=Strict";
    const response = await send(path, { method: "POST", headers, body });
    expect([response.status, await response.json()]).toMatchObject([201, { kind: "ConfigMap", data: { k: "v" } }]);
  });

  const PROTOBUF = "application/vnd.kubernetes.protobuf";
  const inProtobuf = async (path: string, accept = PROTOBUF) => {
    const response = await send(path, { headers: { authorization: "Bearer admin", accept } });
    return { type: response.headers.get("content-type"), bytes: new Uint8Array(await response.arrayBuffer()) };
  };

  test("who takes only protobuf gets it: objects, lists and errors", async () => {
    const get = async (path: string) => {
      const { type, bytes } = await inProtobuf(path);
      expect(type).toBe(PROTOBUF);
      return decodeProtobuf(bytes);
    };
    const json = await ask("GET", "/api/v1/namespaces/default");
    expect(await get("/api/v1/namespaces/default")).toEqual(json.body);
    expect(await get("/api/v1/namespaces")).toMatchObject({
      kind: "NamespaceList",
      items: expect.arrayContaining([expect.objectContaining({ metadata: json.body.metadata })]),
    });
    expect(await get("/api/v1/namespaces/nowhere")).toMatchObject({ kind: "Status", code: 404, reason: "NotFound" });
  });

  test("metadata alone comes as protobuf too, under the version that was asked for", async () => {
    const accept = `${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1beta1`;
    const { type, bytes } = await inProtobuf("/api/v1/namespaces", accept);
    expect(type).toBe(PROTOBUF);
    expect(decodeProtobuf(bytes)).toMatchObject({
      kind: "PartialObjectMetadataList",
      apiVersion: "meta.k8s.io/v1beta1",
      items: expect.arrayContaining([
        expect.objectContaining({ metadata: expect.objectContaining({ name: "default" }) }),
      ]),
    });
  });

  test("a watch in protobuf is frames of events", async () => {
    const { type, bytes } = await inProtobuf("/api/v1/namespaces?watch=true&fieldSelector=metadata.name=default");
    expect(type).toBe(`${PROTOBUF};stream=watch`);
    const length = new DataView(bytes.buffer).getUint32(0);
    expect(bytes.length).toBe(length + 4);
    const text = new TextDecoder().decode(bytes);
    expect(text.slice(4, 11)).toBe("\n\u0005ADDED");
    expect(decodeProtobuf(bytes.subarray(text.indexOf("k8s\0")))).toMatchObject({ metadata: { name: "default" } });
  });

  test("what is no list is refused as one, and the other way round", async () => {
    const as = (shape: string) => ({ accept: `application/json;as=${shape};g=meta.k8s.io;v=v1` });
    const { body } = await ask("GET", "/api/v1/namespaces", undefined, as("PartialObjectMetadata"));
    expect([body.code, body.message]).toEqual([
      406,
      "you requested PartialObjectMetadata, but the requested object is a list (*core.NamespaceList)",
    ]);
    const one = await ask(
      "GET",
      "/apis/apps/v1/namespaces/default/deployments",
      undefined,
      as("PartialObjectMetadata"),
    );
    expect(one.body.message).toContain("*apps.DeploymentList");
    const list = await ask("GET", "/api/v1/namespaces/default", undefined, as("PartialObjectMetadataList"));
    expect(list.body.message).toContain("the requested object is not a list (*core.Namespace)");
  });

  test("bytes that are no protobuf are refused in kube-apiserver's words", async () => {
    const headers = { authorization: "Bearer admin", "content-type": "application/vnd.kubernetes.protobuf" };
    const body = new TextEncoder().encode("abc");
    const response = await send("/api/v1/namespaces/default/configmaps", { method: "POST", headers, body });
    expect(await response.json()).toMatchObject({
      code: 400,
      message:
        "the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (616263)",
    });
  });

  test("what is too large is refused before anything looks at it", async () => {
    const data = { k: "x".repeat(3 * 1024 * 1024) };
    const { code, body } = await ask("POST", "/api/v1/namespaces/default/configmaps", {
      metadata: { name: "a" },
      data,
    });
    expect([code, body.reason]).toEqual([413, "RequestEntityTooLarge"]);
  });

  test.each([
    ["POST", "application/vnd.kubernetes.protobuf", 400],
    ["POST", "application/cbor", 415],
    ["PATCH", "application/apply-patch+cbor", 415],
  ])("%s of %s is refused by %i", async (method, type, code) => {
    const path = `/api/v1/namespaces/default/configmaps${method === "PATCH" ? "/a" : ""}`;
    expect((await ask(method, path, "x", { "content-type": type })).code).toBe(code);
  });

  test.each([
    ["PUT", "/api/v1/namespaces/default/configmaps", 405],
    ["POST", "/api/v1/configmaps", 405],
    ["DELETE", "/api/v1/namespaces", 405],
    ["GET", "/api/v1/configmaps/a", 404],
    ["GET", "/api/v1/namespaces/default/nodes", 404],
    ["GET", "/api/v1/namespaces/default/pods/a/nothing", 404],
    ["GET", "/api/v1/namespaces/default/configmaps/a/status", 404],
    ["GET", "/apis/apps/v2", 404],
    ["GET", "/nothing", 404],
    ["POST", "/api", 405],
  ])("%s %s is %i", async (method, path, code) => {
    expect((await ask(method, path, method === "GET" ? undefined : {})).code).toBe(code);
  });

  test("a name with letters beyond ASCII comes back in the warning as UTF-8", async () => {
    const { headers } = await ask("POST", "/api/v1/namespaces/default/configmaps?fieldValidation=Warn", {
      metadata: { name: "w" },
      dät: 1,
    });
    const bytes = Uint8Array.from(headers.get("warning") ?? "", (letter) => letter.charCodeAt(0));
    expect(new TextDecoder().decode(bytes)).toBe('299 - "unknown field \\"dät\\""');
  });

  test("a grace period beyond all calendars ends with the last year, and can be shortened again", async () => {
    await ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
    const pods = "/api/v1/namespaces/default/pods";
    const spec = { nodeName: "n", containers: [{ name: "c", image: "busybox" }] };
    await ask("POST", pods, { metadata: { name: "p" }, spec });
    const long = await ask("DELETE", `${pods}/p?gracePeriodSeconds=9000000000000000`);
    expect(long.body.metadata.deletionTimestamp).toBe("9999-12-31T23:59:59Z");
    expect((await ask("DELETE", `${pods}/p?gracePeriodSeconds=99999999999999999999`)).code).toBe(400);
    expect((await ask("DELETE", `${pods}/p?gracePeriodSeconds=0`)).code).toBe(200);
    expect((await ask("GET", `${pods}/p`)).code).toBe(404);
  });

  test("YAML answers can be read back", async () => {
    const response = await send("/api/v1/namespaces/kube-system", {
      headers: { authorization: "Bearer admin", accept: "application/yaml" },
    });
    expect(await response.text()).toMatch(/^apiVersion: v1\nkind: Namespace\nmetadata:\n/);
  });

  test("a watch tells what there is", async () => {
    const { body } = await ask(
      "GET",
      "/api/v1/namespaces?watch=1&fieldSelector=metadata.name%3Dkube-public",
      undefined,
      { accept: TABLE },
    );
    expect(body).toMatchObject({ type: "ADDED", object: { kind: "Table" } });
  });
});

describe("documents", async () => {
  const { ask } = await testCluster();

  test("the root names paths, and each of them answers", async () => {
    const { paths } = (await ask("GET", "/")).body;
    expect(paths).toEqual(
      expect.arrayContaining(["/api/v1", "/apis/apps", "/apis/apps/v1", "/healthz", "/openapi/v3"]),
    );
    expect(paths.filter((path: string) => /undefined|\/$/.test(path))).toEqual([]);
    const codes = await Promise.all(paths.map(async (path: string) => (await ask("GET", path)).code));
    expect(new Set(codes)).toEqual(new Set([200]));
  });

  test("aggregated discovery is not sent twice", async () => {
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    const first = await ask("GET", "/apis", undefined, { accept });
    expect(first.body.kind).toBe("APIGroupDiscoveryList");
    const etag = first.headers.get("etag") ?? "";
    expect((await ask("GET", "/apis", undefined, { accept, "if-none-match": etag })).code).toBe(304);
  });

  test("OpenAPI 3 names each document by its hash, for ever", async () => {
    const index = await ask("GET", "/openapi/v3");
    const url = index.body.paths["apis/apps/v1"].serverRelativeURL;
    const document = await ask("GET", url);
    expect(document.headers.get("cache-control")).toContain("immutable");
    expect(document.body.components.schemas["io.k8s.api.apps.v1.Deployment"]).toBeDefined();
    const moved = await ask("GET", "/openapi/v3/apis/apps/v1?hash=OLD");
    expect([moved.code, moved.headers.get("location")]).toEqual([301, new URL(url, "http://cluster").search]);
  });

  test("OpenAPI 2 comes as JSON or protobuf", async () => {
    expect((await ask("GET", "/openapi/v2")).body.swagger).toBe("2.0");
    const binary = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    expect((await ask("GET", "/openapi/v2", undefined, { accept: binary })).headers.get("content-type")).toContain(
      "protobuf",
    );
    expect((await ask("GET", "/openapi/v2", undefined, { accept: "text/html" })).code).toBe(406);
  });

  test("health tells its checks when asked", async () => {
    expect((await ask("GET", "/readyz?verbose")).body).toMatch(/^\[\+\]ping ok\n(.*\n)*readyz check passed\n$/);
    expect((await ask("GET", "/livez/ping")).body).toBe("ok");
    expect((await ask("GET", "/livez/nothing")).code).toBe(404);
  });
});

test("deleting a whole collection takes all of it, and answers with what it took", async () => {
  const { ask } = await testCluster();
  const maps = "/api/v1/namespaces/default/configmaps";
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  for (const name of ["a", "b"]) await ask("POST", maps, { metadata: { name } });
  expect((await ask("DELETE", maps)).body.items).toHaveLength(2);
  expect((await ask("GET", maps)).body.items).toEqual([]);
});
