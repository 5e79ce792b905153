import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { Finished } from "../process.ts";
import { CredentialProviders, parseProviders } from "./credential-providers.ts";

const binDir = mkdtempSync(join(tmpdir(), "skerry-providers-"));
writeFileSync(join(binDir, "cloud"), "");
afterAll(() => rmSync(binDir, { recursive: true }));

const API_VERSION = "credentialprovider.kubelet.k8s.io/v1";
const provider = { name: "cloud", matchImages: ["*.cloud.io"], defaultCacheDuration: "10m", apiVersion: API_VERSION };
const config = (...providers: object[]) => ({
  apiVersion: "kubelet.config.k8s.io/v1",
  kind: "CredentialProviderConfig",
  providers,
});
const auth = { "a.cloud.io": { username: "u", password: "p" } };
const answer = { kind: "CredentialProviderResponse", apiVersion: API_VERSION, cacheKeyType: "Registry", auth };

let now = 0;
let asked: { input: unknown; env: NodeJS.ProcessEnv | undefined }[] = [];
let said: string[] = [];
let finished: Finished;
beforeEach(() => {
  now = 0;
  asked = [];
  said = [];
  finished = { code: 0, stdout: JSON.stringify(answer), stderr: "" };
});

const providers = (given: object = {}) =>
  new CredentialProviders(
    { binDir, config: config({ ...provider, ...given }) },
    {
      run: async (_program, _args, options) => {
        asked.push({ input: JSON.parse(String(options?.input)), env: options?.env });
        return finished;
      },
      now: () => now,
      log: (line) => said.push(line),
    },
  );

describe("a provider", () => {
  test("is asked about images that it knows of, with its environment", async () => {
    const all = providers({ env: [{ name: "REGION", value: "north" }] });
    expect(await all.configs("a.cloud.io/app")).toEqual([auth]);
    expect(await all.configs("docker.io/library/app")).toEqual([]);
    expect(asked.map(({ input }) => input)).toEqual([
      { kind: "CredentialProviderRequest", apiVersion: API_VERSION, image: "a.cloud.io/app" },
    ]);
    expect(asked[0]?.env?.REGION).toBe("north");
  });

  test.each([
    ["Image", ["a.cloud.io/app"], ["a.cloud.io/other"]],
    ["Registry", ["a.cloud.io/other"], ["b.cloud.io/app"]],
    ["Global", ["b.cloud.io/app"], []],
  ])("is not asked again while its answer lasts, which is for its %s", async (cacheKeyType, known, unknown) => {
    finished.stdout = JSON.stringify({ ...answer, cacheKeyType });
    const all = providers();
    await all.configs("a.cloud.io/app");
    for (const repository of known) await all.configs(repository);
    expect(asked).toHaveLength(1);
    for (const repository of unknown) await all.configs(repository);
    expect(asked).toHaveLength(1 + unknown.length);
    now += 600_000;
    await all.configs("a.cloud.io/app");
    expect(asked).toHaveLength(2 + unknown.length);
  });

  test("says how long its answer lasts, if at all", async () => {
    finished.stdout = JSON.stringify({ ...answer, cacheDuration: "0s" });
    const all = providers();
    for (const _ of [1, 2]) await all.configs("a.cloud.io/app");
    expect(asked).toHaveLength(2);
  });

  test("is asked once by many at a time", async () => {
    const all = providers({ defaultCacheDuration: "0s" });
    await Promise.all([all.configs("a.cloud.io/app"), all.configs("a.cloud.io/app")]);
    expect(asked).toHaveLength(1);
  });

  test.each<[Partial<Finished>, string]>([
    [{ code: 1, stderr: "no network\n" }, "it ended with 1: no network"],
    [{ stdout: "very secret" }, "its answer is no JSON"],
    [{ stdout: JSON.stringify({ ...answer, kind: "Pod" }) }, 'unexpected Kind: "Pod"'],
    [
      { stdout: JSON.stringify({ ...answer, apiVersion: "v0" }) },
      `expected apiVersion:${API_VERSION}, actual apiVersion:v0`,
    ],
    [{ stdout: JSON.stringify({ ...answer, cacheKeyType: "Pod" }) }, "did not return a valid cacheKeyType: Pod"],
  ])("that fails knows nothing: %j", async (how, why) => {
    finished = { ...finished, ...how };
    expect(await providers().configs("a.cloud.io/app")).toEqual([{}]);
    expect(said.join()).toContain(why);
    expect(said.join()).not.toContain("very secret");
  });

  test("that is not there is told of at once", () => {
    expect(() => providers({ name: "none" })).toThrow(`plugin binary executable ${binDir}/none did not exist`);
  });
});

test.each([
  [{ kind: "Pod" }, "failed to decode CredentialProviderConfig"],
  [config(), "at least 1 item in plugins is required"],
  [config({ ...provider, name: "a/b" }), 'Invalid value: "a/b"'],
  [config(provider, provider), 'Duplicate value: "cloud"'],
  [config({ ...provider, apiVersion: "v1" }), 'Unsupported value: "v1"'],
  [config({ ...provider, matchImages: [] }), "at least 1 item in matchImages is required"],
  [config({ ...provider, defaultCacheDuration: undefined }), "defaultCacheDuration: Required value"],
  [config({ ...provider, defaultCacheDuration: "-1s" }), "must be greater than or equal to 0"],
  [config({ ...provider, tokenAttributes: {} }), "tokens of service accounts are not given"],
])("a configuration that makes no sense: %#", (document, why) => {
  expect(() => parseProviders(document)).toThrow(why);
});
