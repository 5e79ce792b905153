import { beforeEach, describe, expect, test } from "vitest";
import type { CoreV1Container, CoreV1Pod, CoreV1Secret } from "../../worker/kinds/generated/types.ts";
import { EventRecorder } from "../pods/events.ts";
import type { ContainerMemory } from "../pods/memory.ts";
import { somePod } from "../pods/testing.ts";
import type { RegistryCredential, Runtime } from "../runtime.ts";
import { type EnsuredImage, Images, imageIdOf } from "./images.ts";
import type { DockerConfig } from "./keyring.ts";
import { pullSettings } from "./pull-settings.ts";
import { memoryFiles, settle, TestClock, TestRuntime } from "./testing/model.ts";

let clock: TestClock;
let runtime: TestRuntime;
let images: Images;
let told: string[];
let nodeCredentials: DockerConfig;
let identity: RegistryCredential | undefined;
let secrets: Map<string, CoreV1Secret>;
const files = memoryFiles();

beforeEach(() => {
  clock = new TestClock();
  runtime = new TestRuntime();
  told = [];
  nodeCredentials = {};
  identity = undefined;
  secrets = new Map();
  for (const name of files.names()) files.remove(name);
  images = newImages();
});

function newImages(): Images {
  const api = async (_method: string, _path: string, body?: unknown) => {
    const { type, reason, message } = body as { type?: string; reason?: string; message?: string };
    told.push(type ? `${type} ${reason}: ${message}` : `renewed: ${message}`);
    return { code: 201, body: {} };
  };
  return new Images({
    runtime: runtime as unknown as Runtime,
    effects: clock,
    events: new EventRecorder({ nodeName: "n", api, effects: clock }),
    settings: {
      ...pullSettings(),
      records: files,
      nodeCredentials: async () => [nodeCredentials],
      identity: () => identity,
    },
  });
}

type Asked = { memory: ContainerMemory; result: Promise<EnsuredImage | undefined> };

function ask(
  image: string,
  given: { policy?: string; pod?: CoreV1Pod; memory?: ContainerMemory; ending?: AbortSignal } = {},
): Asked {
  const { policy, pod = somePod(), memory = {}, ending } = given;
  const container = { name: "app", image, ...(policy && { imagePullPolicy: policy }) } as CoreV1Container;
  return { memory, result: images.ensure(pod, container, memory, secrets, ending) };
}

/** Lets the pull that is under way end, and what follows from it happen. */
async function end(how: "finish" | string): Promise<void> {
  await settle();
  const [pull] = runtime.pulls;
  if (how === "finish") pull?.finish();
  else pull?.fail(how);
  await settle();
}

const tell = async () => {
  await settle();
  return told.splice(0);
};

function secret(name: string, user: string, host = "r.io"): { name: string }[] {
  const auths = { [host]: { username: user, password: "very secret" } };
  secrets.set(`default/${name}`, {
    metadata: { name, namespace: "default", uid: `uid-${name}` },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") },
  });
  return [{ name }];
}

describe("an image that is not here", () => {
  test("is pulled", async () => {
    const { result, memory } = ask("app:1");
    await settle();
    await clock.advance(1_500);
    await end("finish");
    expect(await result).toMatchObject({ Id: "sha256:app:1", reference: "app:1", name: "docker.io/library/app:1" });
    expect(memory).toEqual({});
    expect(await tell()).toEqual([
      'Normal Pulling: Pulling image "app:1"',
      'Normal Pulled: Successfully pulled image "app:1" in 1.5s (1.5s including waiting). Image size: 1000 bytes.',
    ]);
  });

  test("is told of while it comes", async () => {
    const { result } = ask("app:1");
    runtime.progress = { bytes: 12_345_678, totalBytes: 480_000_000, mark: "1" };
    await clock.advance(10_000);
    runtime.progress = { bytes: 20_000_000, totalBytes: 480_000_000, mark: "2" };
    await clock.advance(10_000);
    await end("finish");
    await result;
    expect(await tell()).toEqual([
      'Normal Pulling: Pulling image "app:1"',
      'renewed: Pulling image "app:1": 12.3 MB of 480.0 MB',
      'renewed: Pulling image "app:1": 20.0 MB of 480.0 MB',
      'Normal Pulled: Successfully pulled image "app:1" in 20s (20s including waiting). Image size: 1000 bytes.',
    ]);
  });

  test("is waited for when it is never to be pulled", async () => {
    const { result, memory } = ask("app:1", { policy: "Never" });
    expect(await result).toBeUndefined();
    const message = 'Container image "app:1" is not present with pull policy of Never';
    expect(memory).toEqual({
      waiting: { reason: "ErrImageNeverPull", message },
      retryAt: clock.now() + 10_000,
    });
    expect(await tell()).toEqual([`Warning ErrImageNeverPull: ${message}`, "Warning Failed: Error: ErrImageNeverPull"]);
  });

  test("is not waited for by a pod that ends", async () => {
    const ending = new AbortController();
    const { result, memory } = ask("app:1", { ending: ending.signal });
    await settle();
    ending.abort(new Error("the pod is being deleted"));
    expect(await result).toBeUndefined();
    expect(memory).toEqual({});
    expect(runtime.pulls).toEqual([]);
    expect(await tell()).toEqual(['Normal Pulling: Pulling image "app:1"']);
  });
});

describe("an image that is here", () => {
  beforeEach(() => runtime.add("app:1"));

  test.each([["IfNotPresent"], ["Never"]])("is used: %s", async (policy) => {
    expect(await ask("app:1", { policy }).result).toMatchObject({ Id: "sha256:app:1" });
    expect(await tell()).toEqual([
      'Normal Pulled: Container image "app:1" already present on machine and can be accessed by the pod',
    ]);
  });

  test("is pulled all the same: Always, and for `latest`", async () => {
    const first = ask("app:1", { policy: "Always" });
    await end("finish");
    await first.result;
    runtime.add("app");
    const second = ask("app");
    await end("finish");
    await second.result;
    expect(runtime.pulled).toBe(2);
  });

  test("and cannot be looked at", async () => {
    runtime.inspectImage = async () => Promise.reject(new Error("connection refused"));
    const { result, memory } = ask("app:1");
    expect(await result).toBeUndefined();
    const message = 'Failed to inspect image "app:1": connection refused';
    expect(memory.waiting).toEqual({ reason: "ImageInspectError", message });
    expect(await tell()).toEqual([`Warning InspectFailed: ${message}`, "Warning Failed: Error: ImageInspectError"]);
  });
});

test("a name that is none", async () => {
  const { result, memory } = ask("App");
  expect(await result).toBeUndefined();
  const message =
    'Failed to apply default image tag "App": couldn\'t parse image name "App": invalid reference format: repository name (library/App) must be lowercase';
  expect(memory.waiting).toEqual({ reason: "InvalidImageName", message });
  expect(await tell()).toEqual([`Warning InspectFailed: ${message}`, "Warning Failed: Error: InvalidImageName"]);
});

describe("a pull that fails", () => {
  const NOT_FOUND = 'failed to resolve reference "docker.io/library/app:1": docker.io/library/app:1: not found';
  const MESSAGE = `rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/app:1": ${NOT_FOUND}`;

  async function fail(memory: ContainerMemory = {}, pod = somePod()): Promise<ContainerMemory> {
    const { result } = ask("app:1", { memory, pod });
    await end(NOT_FOUND);
    expect(await result).toBeUndefined();
    return memory;
  }

  test("is told with its cause, and then backed off from", async () => {
    const memory = await fail();
    expect(memory.waiting).toEqual({ reason: "ErrImagePull", message: MESSAGE });
    expect(memory.retryAt).toBe(clock.now() + 10_000);
    expect(await tell()).toEqual([
      'Normal Pulling: Pulling image "app:1"',
      `Warning Failed: Failed to pull image "app:1": ${MESSAGE}`,
      "Warning Failed: Error: ErrImagePull",
    ]);
    images.backOff(somePod(), { name: "app", image: "app:1" }, memory, clock.now() + 10_000);
    expect(memory.waiting).toEqual({
      reason: "ImagePullBackOff",
      message: `Back-off pulling image "app:1": ErrImagePull: ${MESSAGE}`,
    });
    expect(await tell()).toEqual([
      'Normal BackOff: Back-off pulling image "app:1"',
      "Warning Failed: Error: ImagePullBackOff",
    ]);
  });

  test("doubles the wait up to five minutes, and begins anew after ten minutes without", async () => {
    const memory = await fail();
    const waits = [];
    for (let tries = 0; tries < 7; tries++) {
      waits.push((memory.retryAt ?? 0) - clock.now());
      await clock.advance((memory.retryAt ?? 0) - clock.now());
      await fail(memory);
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 300, 300].map((seconds) => seconds * 1000));
    await clock.advance(600_001);
    await fail(memory);
    expect((memory.retryAt ?? 0) - clock.now()).toBe(10_000);
  });

  test("holds back the pod's other containers with that image, and no other pod", async () => {
    await fail();
    const second = ask("app:1");
    expect(await second.result).toBeUndefined();
    expect(second.memory.waiting?.message).toBe(`Back-off pulling image "app:1": ErrImagePull: ${MESSAGE}`);
    const other = ask("app:1", { pod: somePod({}, { uid: "u2" }) });
    await end("finish");
    expect(await other.result).toBeDefined();
  });

  test("is remembered over the agent's end", async () => {
    const memory = await fail();
    images = newImages();
    await clock.advance(10_000);
    await fail(memory);
    expect((memory.retryAt ?? 0) - clock.now()).toBe(20_000);
  });
});

describe("credentials", () => {
  test("of the pod's Secrets go before the node's, and what it joined by is the last of them", async () => {
    nodeCredentials = { "r.io": { username: "configured" } };
    identity = { username: "node", password: "very secret", isForServer: true };
    const pod = somePod({ imagePullSecrets: [...secret("a", "a"), ...secret("b", "b"), ...secret("c", "c", "q.io")] });
    const { result, memory } = ask("r.io/app:1", { pod });
    for (const user of ["a", "b", "configured", "node"]) {
      await settle();
      expect(runtime.pulls[0]?.user).toBe(user);
      await end("denied");
    }
    expect(await result).toBeUndefined();
    expect(memory.waiting?.message).toBe('failed to pull and unpack image "r.io/app:1": denied');
    expect((await tell()).join()).not.toContain("very secret");
  });

  test("that are missing are told of", async () => {
    const { result } = ask("app:1", { pod: somePod({ imagePullSecrets: [{ name: "a" }, { name: "b" }] }) });
    await end("finish");
    await result;
    expect((await tell())[0]).toBe(
      "Warning FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (a, b); attempting to pull the image may not succeed.",
    );
  });

  test("that opened an image open it to no other pod", async () => {
    const owner = somePod({ imagePullSecrets: secret("a", "a") });
    const first = ask("r.io/app:1", { pod: owner });
    await end("finish");
    await first.result;
    expect(await ask("r.io/app:1", { pod: owner }).result).toBeDefined();
    expect(runtime.pulled).toBe(1);

    const stranger = somePod({}, { uid: "u2" });
    const hidden = ask("r.io/app:1", { pod: stranger, policy: "Never" });
    expect(await hidden.result).toBeUndefined();
    expect(hidden.memory.waiting?.message).toBe(
      'Container image "r.io/app:1" is not present with pull policy of Never',
    );
    const refused = ask("r.io/app:1", { pod: stranger });
    await end("pull access denied");
    expect(await refused.result).toBeUndefined();
    expect(refused.memory.waiting?.reason).toBe("ErrImagePull");
  });

  test.each(["configured", "node"])("of the node open it to all: %s", async (username) => {
    if (username === "node") identity = { username, password: "very secret", isForServer: true };
    else nodeCredentials = { "r.io": { username } };
    const first = ask("r.io/app:1");
    await end("finish");
    await first.result;
    nodeCredentials = {};
    identity = undefined;
    expect(await ask("r.io/app:1", { pod: somePod({}, { uid: "u2" }) }).result).toBeDefined();
  });

  test("that cannot be read fail the pull, without their words", async () => {
    const pod = somePod({ imagePullSecrets: secret("a", "a") });
    const data = { ".dockerconfigjson": Buffer.from('{"auths": very secret').toString("base64") };
    secrets.set("default/a", { ...(secrets.get("default/a") as CoreV1Secret), data });
    const { result, memory } = ask("r.io/app:1", { pod });
    expect(await result).toBeUndefined();
    expect(memory.waiting).toEqual({
      reason: "ErrImagePull",
      message: "error occurred while trying to unmarshal json",
    });
  });
});

describe("what a status calls an image", () => {
  const digest = `sha256:${"a".repeat(64)}`;

  test("its ID tells the registry's digest, or its own where it has none", () => {
    expect(imageIdOf({ Id: "sha256:1", RepoDigests: [`busybox@${digest}`] })).toBe(
      `docker.io/library/busybox@${digest}`,
    );
    expect(imageIdOf({ Id: "sha256:1" })).toBe("sha256:1");
  });

  test.each([
    [["app:1"], "docker.io/library/app:1"],
    [["app:latest", "app:1"], "docker.io/library/app:1"],
    [["app:latest"], "sha256:1"],
    [["app:"], "sha256:1"],
    [[], "sha256:1"],
  ])("one that was asked for by its digest and has the tags %j is %s, and runs by the digest", async (tags, name) => {
    runtime.add(`app@${digest}`, { Id: "sha256:1", RepoTags: tags });
    expect(await ask(`app@${digest}`).result).toMatchObject({ reference: digest, name });
  });
});

test("an image that was removed is forgotten", async () => {
  const first = ask("r.io/app:1", { pod: somePod({ imagePullSecrets: secret("a", "a") }) });
  await end("finish");
  await first.result;
  runtime.images.clear();
  images.forget("sha256:r.io/app:1");
  runtime.add("r.io/app:1"); // by hand
  expect(await ask("r.io/app:1", { pod: somePod({}, { uid: "u2" }) }).result).toBeDefined();
});
