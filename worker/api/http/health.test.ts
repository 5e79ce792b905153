import { expect, test } from "vitest";
import { testCluster } from "../testing/cluster.ts";

const { ask } = await testCluster();

test("the checks are kube-apiserver's; one of them is asked for by its name", async () => {
  const lines = (await ask("GET", "/readyz?verbose=1")).body.split("\n");
  expect(lines).toHaveLength(36);
  expect(lines.slice(0, 6)).toEqual([
    "[+]ping ok",
    "[+]log ok",
    "[+]etcd ok",
    "[+]etcd-readiness ok",
    "[+]informer-sync ok",
    "[+]poststarthook/start-apiserver-admission-initializer ok",
  ]);
  expect(lines.slice(-7)).toEqual([
    "[+]poststarthook/kube-apiserver-autoregistration ok",
    "[+]autoregister-completion ok",
    "[+]poststarthook/apiservice-openapi-controller ok",
    "[+]poststarthook/apiservice-openapiv3-controller ok",
    "[+]shutdown ok",
    "readyz check passed",
    "",
  ]);
  expect((await ask("GET", "/healthz?verbose=1")).body.split("\n")).toHaveLength(33);
  expect((await ask("GET", "/livez/poststarthook/rbac/bootstrap-roles")).body).toBe("ok");
  for (const path of ["/livez/informer-sync", "/healthz/poststarthook", "/healthz/ping/x"])
    expect((await ask("GET", path)).code).toBe(404);
});

test("checks can be left out, and it is told which cannot", async () => {
  const { body } = await ask("GET", "/livez?exclude=etcd&exclude=a&exclude=b&verbose");
  expect(body).toContain("[+]etcd excluded: ok\n");
  expect(body).toContain('warn: some health checks cannot be excluded: no matches for "a","b"\nlivez check passed\n');
  expect((await ask("GET", "/livez?exclude=a")).body).toBe("ok");
});

test("the index of paths names them", async () => {
  const { paths } = (await ask("GET", "/")).body;
  expect(paths).toEqual(expect.arrayContaining(["/readyz", "/readyz/shutdown", "/livez/etcd", "/metrics"]));
});

test("the checks are there as metrics", async () => {
  const { code, body } = await ask("GET", "/metrics/slis");
  expect(code).toBe(200);
  expect(body).toContain('\nkubernetes_healthcheck{name="etcd",type="readyz"} 1\n');
});
