import { describe, expect, test } from "vitest";
import { requestInfo } from "./request-info.ts";

const info = (method: string, path: string) => requestInfo(method, new URL(path, "https://cluster"));

describe("what a URL asks for", () => {
  test.each([
    ["GET", "/api/v1/pods", { verb: "list", resource: "pods", namespace: "", name: "" }],
    ["GET", "/api/v1/namespaces/a/pods?watch=1", { verb: "watch", namespace: "a" }],
    ["GET", "/api/v1/namespaces/a/pods?watch=false", { verb: "list" }],
    ["GET", "/api/v1/namespaces/a/pods/b/log", { verb: "get", name: "b", subresource: "log", inNamespace: true }],
    [
      "GET",
      "/api/v1/namespaces/a",
      { verb: "get", resource: "namespaces", namespace: "a", name: "a", inNamespace: false },
    ],
    ["PUT", "/api/v1/namespaces/a/finalize", { verb: "update", resource: "namespaces", subresource: "finalize" }],
    ["POST", "/apis/apps/v1/namespaces/a/deployments", { verb: "create", group: "apps", version: "v1" }],
    ["DELETE", "/apis/apps/v1/namespaces/a/deployments", { verb: "deletecollection" }],
    ["PATCH", "/apis/apps/v1/namespaces/a/deployments/d/scale", { verb: "patch", subresource: "scale" }],
    ["GET", "/api/v1/watch/namespaces/a/pods/b", { verb: "watch", name: "b", pathName: "b" }],
    ["GET", "/api/v1/namespaces/a/pods/b/proxy/x/y", { subresource: "proxy", rest: "x/y" }],
  ])("%s %s", (method, path, expected) => {
    expect(info(method, path)).toMatchObject({ type: "resource", ...expected });
  });

  test("a field selector on the name lets a rule for that name decide", () => {
    expect(info("GET", "/api/v1/namespaces/a/secrets?fieldSelector=metadata.name%3Dx")).toMatchObject({
      verb: "list",
      name: "x",
      pathName: "",
    });
  });

  test.each(["/version", "/api", "/api/v1", "/apis/apps", "/apis/apps/v1", "/openapi/v3/api/v1"])(
    "%s is a plain path",
    (path) => {
      expect(info("GET", path)).toEqual({ type: "path", verb: "get", path });
    },
  );

  test("plain paths keep the HTTP method as their verb", () => {
    expect(info("POST", "/skerry/tokens").verb).toBe("post");
  });

  test("a path that is not UTF-8 is read as it stands", () => {
    expect(info("GET", "/api/v1/namespaces/%ff/pods")).toMatchObject({ namespace: "%ff" });
  });
});
