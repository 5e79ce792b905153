import { expect, test } from "vitest";
import type { CoreV1Secret } from "../../worker/kinds/generated/types.ts";
import { somePod } from "../pods/testing.ts";
import { type DockerConfig, Keyring, keyringOf, pullSecrets } from "./keyring.ts";

const basic = (text: string) => Buffer.from(text).toString("base64");

function users(config: DockerConfig, repository: string): string[] {
  const keyring = new Keyring();
  keyring.add(config);
  return keyring.lookUp(repository).map(({ username }) => username);
}

/** https://kubernetes.io/docs/concepts/containers/images/#config-json */
test.each([
  ["*.kubernetes.io", "abc.kubernetes.io/app", true],
  ["*.kubernetes.io", "kubernetes.io/app", false],
  ["*.kubernetes.io", "prefix.a.kubernetes.io/app", false],
  ["*.*.kubernetes.io", "abc.def.kubernetes.io/app", true],
  ["prefix.*.io", "prefix.kubernetes.io/app", true],
  ["*-good.kubernetes.io", "prefix-good.kubernetes.io/app", true],
  ["*-good.kubernetes.io", "prefix-bad.kubernetes.io/app", false],
  ["g?r.io", "gcr.io/app", true],
  ["g[a-d]r.io", "gcr.io/app", true],
  ["g[^a-d]r.io", "gcr.io/app", false],
  ["gcr.io", "gcr.io/app", true],
  ["gcr.io", "gcr.io:5000/app", false],
  ["gcr.io:*", "gcr.io:5000/app", false],
  ["gcr.io:5000", "gcr.io:5000/app", true],
  ["gcr.io/team", "gcr.io/team/app", true],
  ["gcr.io/team", "gcr.io/other/app", false],
  ["https://gcr.io/v2/", "gcr.io/app", true],
  ["http://gcr.io/v1/team", "gcr.io/team/app", true],
  ["https://index.docker.io/v1/", "docker.io/library/busybox", true],
  ["docker.io", "docker.io/library/busybox", true],
  ["index.docker.io", "gcr.io/app", false],
])("credentials for %s, and %s: %s", (location, repository, found) => {
  expect(users({ [location]: { username: "u", password: "p" } }, repository)).toEqual(found ? ["u"] : []);
});

test("more specific credentials go first, and all that match are tried", () => {
  const config = {
    "my-registry.io/images": { auth: basic("a:1") },
    "my-registry.io/images/subpath": { auth: basic("b:2:with:colons") },
    "other.io": { auth: basic("c:3") },
  };
  expect(users(config, "my-registry.io/images/subpath/my-image")).toEqual(["b", "a"]);
  expect(users(config, "my-registry.io/images/my-image")).toEqual(["a"]);
});

test("a pattern made to take long does not", () => {
  expect(users({ [`${"*a".repeat(200)}.io`]: { username: "u" } }, `${"a".repeat(190)}b.io/app`)).toEqual([]);
});

const secret = (name: string, type: string, key: string, content: unknown): CoreV1Secret => ({
  metadata: { name, namespace: "default", uid: `uid-${name}` },
  type: `kubernetes.io/${type}`,
  data: { [key]: basic(typeof content === "string" ? content : JSON.stringify(content)) },
});

test("Secrets of both types, each with where it came from; what they hold is known by a hash", () => {
  const entry = { auth: basic("u:p") };
  const found = keyringOf([
    secret("json", "dockerconfigjson", ".dockerconfigjson", { auths: { "r.io": entry } }),
    secret("legacy", "dockercfg", ".dockercfg", { "r.io": { username: "u", password: "p" } }),
    secret("other", "basic-auth", ".dockerconfigjson", { auths: { "r.io": entry } }),
  ]).lookUp("r.io/app");
  expect(found.map(({ source }) => source?.name)).toEqual(["json", "legacy"]);
  expect(found[0]?.source).toEqual({ uid: "uid-json", namespace: "default", name: "json" });
  expect(found[0]?.hash).toBe(found[1]?.hash);
  expect(found[0]?.hash).not.toContain("p");
});

test.each([
  ["{", "error occurred while trying to unmarshal json"],
  [{ auths: { "r.io": { auth: basic("secret") } } }, "must be formatted as base64(username:password)"],
  [{ auths: { "r.io": { auth: "!" } } }, "illegal base64 data"],
])("a Secret that holds %j is an error without its words", (content, message) => {
  const read = () => keyringOf([secret("s", "dockerconfigjson", ".dockerconfigjson", content)]);
  expect(read).toThrow(message);
  expect(read).not.toThrow("secret");
});

test("which imagePullSecrets are here", () => {
  const pod = somePod({ imagePullSecrets: [{ name: "a" }, { name: "" }, { name: "b" }] });
  const a = secret("a", "dockercfg", ".dockercfg", {});
  expect(pullSecrets(pod, new Map([["default/a", a]]))).toEqual({ found: [a], missing: ["b"] });
});
