import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startRuntime, type TestRuntime } from "../../test/support/containerd.ts";
import { writeBusyboxImage } from "../../test/support/image.ts";
import { checked } from "../../test/support/programs.ts";
import { digestOf, imageConfig, type Layer, TestRegistry } from "../../test/support/registry.ts";
import type { CoreV1Pod, CoreV1Secret } from "../../worker/kinds/generated/types.ts";
import { TICKET_HEADER } from "../../worker/lib/blob-tickets.ts";
import { effects } from "../effects.ts";
import { Nerdctl } from "../nerdctl.ts";
import { EventRecorder } from "../pods/events.ts";
import type { ContainerMemory } from "../pods/memory.ts";
import { somePod } from "../pods/testing.ts";
import { run } from "../process.ts";
import { type EnsuredImage, Images } from "./images.ts";
import { peerMirrors } from "./peers/mirror.ts";
import { type PullConfiguration, pullSettings } from "./pull-settings.ts";
import { imageSettings } from "./settings.ts";

const LAYER = "application/vnd.oci.image.layer.v1.tar";
/** What containerd's client hands on at once. */
const MIB = 1024 * 1024;
const SIGNATURE_LAYER = "application/vnd.dev.cosign.simplesigning.v1+json";

let runtime: TestRuntime;
let registry: TestRegistry;
let images: Images;
let told: string[] = [];
const secrets = new Map<string, CoreV1Secret>();

beforeAll(async () => {
  [runtime, registry] = await Promise.all([startRuntime(), TestRegistry.start()]);
  const archive = join(runtime.home, "image.tar");
  await writeBusyboxImage(archive, { tag: `${registry.host}/team/app:1` });
  await runtime.nerdctl.load(archive);
  await nerdctl("push", "-q", `${registry.host}/team/app:1`);
  await nerdctl("rmi", "-f", `${registry.host}/team/app:1`);
});

afterAll(async () => {
  registry?.stop();
  await runtime?.stop();
});

beforeEach(() => {
  images = newImages();
});

afterEach(() => {
  told = [];
  registry.faults.length = registry.asked.length = 0;
  registry.users.clear();
  rmSync(join(runtime.home, "certs.d"), { recursive: true, force: true });
});

const nerdctl = (...args: string[]) =>
  checked(runtime.nerdctl.binary, args, { env: runtime.nerdctl.environment, timeoutMs: 300_000 });

function newImages(configuration: PullConfiguration = {}, { nerdctl } = runtime): Images {
  const api = async (_method: string, _path: string, body?: unknown) => {
    const { reason, message } = body as { reason?: string; message?: string };
    if (reason) told.push(`${reason}: ${message}`);
    return { code: 201, body: {} };
  };
  return new Images({
    runtime: nerdctl,
    effects,
    events: new EventRecorder({ nodeName: "n", api, effects }),
    settings: imageSettings(runtime.home, pullSettings(configuration), {
      run,
      now: effects.now,
      log: (line) => told.push(line),
    }),
  });
}

/** A pod of its own each time, as one's failures hold it back. */
const newPod = (...pullSecrets: string[]) =>
  somePod({ imagePullSecrets: pullSecrets.map((name) => ({ name })) }, { uid: effects.uid() });

type Ensured = { image: EnsuredImage | undefined; memory: ContainerMemory };

async function ensure(image: string, policy = "IfNotPresent", pod: CoreV1Pod = newPod()): Promise<Ensured> {
  const memory: ContainerMemory = {};
  const container = { name: "app", image, imagePullPolicy: policy };
  return { image: await images.ensure(pod, container, memory, secrets), memory };
}

/** Why there is no image. */
async function failure(image: string, pod?: CoreV1Pod): Promise<string | undefined> {
  const { image: found, memory } = await ensure(image, "Always", pod);
  expect(found).toBeUndefined();
  return memory.waiting?.message;
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await what()); waited += 20) {
    if (waited > 300_000) throw new Error(`never came true: ${what}`);
    await effects.sleep(20);
  }
}

/** What pods were told since a moment, once this is the last of it. */
async function toldUntil(last: string): Promise<string[]> {
  await until(() => told.at(-1) === last);
  return told;
}

async function layerOf(files: Record<string, Buffer | string>): Promise<Layer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return { mediaType: LAYER, content: Buffer.concat(chunks) };
}

function secret(name: string, host: string, login: string): void {
  const auths = { [host]: { auth: Buffer.from(login).toString("base64") } };
  secrets.set(`default/${name}`, {
    metadata: { name, namespace: "default", uid: `uid-${name}` },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") },
  });
}

function hostsToml(host: string, text: string): void {
  const folder = join(runtime.home, "certs.d", host);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "hosts.toml"), text);
  writeFileSync(join(folder, "ca.pem"), registry.ca);
}

const unpackFailure = (image: string, cause: string) => `failed to pull and unpack image "${image}": ${cause}`;
const resolveFailure = (image: string, cause: string) =>
  unpackFailure(image, `failed to resolve reference "${image}": ${cause}`);

describe("from a registry", () => {
  test("an image is pulled, told of and run, by its tag, its digest or both", async () => {
    const tagged = `${registry.host}/team/app:1`;
    const { image } = await ensure(tagged);
    const digest = image?.RepoDigests?.[0]?.split("@")[1] ?? "";
    expect(image).toMatchObject({ reference: tagged, name: tagged });
    await until(() => told.length === 2);
    expect(told[0]).toBe(`Pulling: Pulling image "${tagged}"`);
    expect(told[1]).toMatch(
      /^Pulled: Successfully pulled image "\S+" in [\d.]+m?s \([\d.]+m?s including waiting\)\. Image size: \d+ bytes\.$/,
    );

    for (const named of [`${registry.host}/team/app@${digest}`, `${registry.host}/team/app:none@${digest}`]) {
      const { image: same } = await ensure(named, "Always");
      expect(same).toMatchObject({ Id: image?.Id, reference: digest, name: tagged });
      const ran = await nerdctl("run", "--rm", "--network", "none", same?.reference ?? "", "echo", "it runs");
      expect(ran.stdout).toBe("it runs\n");
      expect((await ensure(named, "Never")).image?.Id).toBe(image?.Id);
    }
    expect((await ensure(`${registry.host}/other/app@${digest}`, "Never")).image).toBeUndefined();
  });

  test("images are removed with all their names", async () => {
    const digest = await registry.push("team/gone", "1", [await layerOf({ file: "gone" })]);
    const names = [`${registry.host}/team/gone:1`, `${registry.host}/team/gone@${digest}`];
    for (const name of names) await ensure(name, "Always");
    const found = await runtime.nerdctl.listImages();
    const gone = found.find(({ RepoDigests }) => RepoDigests?.[0]?.endsWith(digest));
    await runtime.nerdctl.removeImage(gone ?? { Id: "" });
    for (const name of names) expect(await runtime.nerdctl.inspectImage(name)).toBeUndefined();
  });

  test("many pods' image is asked for once", async () => {
    const layer = await layerOf({ file: randomBytes(100_000) });
    await registry.push("team/shared", "1", [layer]);
    const all = await Promise.all(Array.from({ length: 8 }, () => ensure(`${registry.host}/team/shared:1`)));
    expect(new Set(all.map(({ image }) => image?.Id)).size).toBe(1);
    expect(registry.asked.filter((line) => line.startsWith("HEAD"))).toHaveLength(1);
    await until(() => told.filter((line) => line.startsWith("Pulled")).length === 8);
  });

  test("what is not there, not reached or not meant for this machine", async () => {
    const none = `${registry.host}/team/none:1`;
    expect(await failure(none)).toBe(`rpc error: code = NotFound desc = ${resolveFailure(none, `${none}: not found`)}`);
    expect((await toldUntil("Failed: Error: ErrImagePull")).slice(1)).toEqual([
      `Failed: Failed to pull image "${none}": rpc error: code = NotFound desc = ${resolveFailure(none, `${none}: not found`)}`,
      "Failed: Error: ErrImagePull",
    ]);

    const nobody = "127.0.0.1:1/app:1";
    const refused = 'failed to do request: Head "http://127.0.0.1:1/v2/app/manifests/1": dial tcp 127.0.0.1:1: ';
    expect(await failure(nobody)).toBe(resolveFailure(nobody, `${refused}connect: connection refused`));

    const digest = await registry.push("team/far", "1", [await layerOf({ file: "x" })]);
    await registry.pushIndex("team/far", "all", digest, { architecture: "s390x", os: "linux" });
    const far = `${registry.host}/team/far:all`;
    expect(await failure(far)).toBe(
      `rpc error: code = NotFound desc = ${unpackFailure(far, "no match for platform in manifest: not found")}`,
    );
  });

  test.each([
    [403, "403 Forbidden"],
    [500, "500 Internal Server Error"],
    [503, "503 Service Unavailable"],
  ])("that answers %d", async (code, words) => {
    registry.faults.push((_, answer) => Boolean(answer.writeHead(code).end()));
    const url = `http://${registry.host}/v2/team/app/manifests/1`;
    const image = `${registry.host}/team/app:1`;
    expect(await failure(image)).toBe(resolveFailure(image, `unexpected status from HEAD request to ${url}: ${words}`));
  });

  describe("of the cluster, with other nodes", () => {
    function* pieces(bytes: Buffer) {
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
    }

    /** Pulls a layer of which another node has `bytes`: what was said, and how often the registry was asked for it. */
    async function pullBeside(bytes: Buffer, layer: Layer) {
      const wanted = digestOf(layer.content);
      await registry.push("team/lan", "1", [layer]);
      const ticket = { [TICKET_HEADER]: "any", "content-length": layer.content.length };
      registry.faults.push(({ method, headers }, answer) => {
        return (
          method === "HEAD" && headers[TICKET_HEADER] !== undefined && Boolean(answer.writeHead(200, ticket).end())
        );
      });
      const said: string[] = [];
      const from = { node: "n2", address: "", port: 0 };
      let avoided = false;
      const fetch = async (digest: string) =>
        digest === wanted && !avoided ? { from, body: Readable.from(pieces(bytes)) as IncomingMessage } : undefined;
      const avoid = (_: unknown, why: string) => {
        avoided = true;
        said.push(why);
      };
      const clusterRegistry = { hosts: [registry.tlsHost], cluster: "default", ca: registry.ca, token: "secret" };
      const { binary, toml, namespace } = runtime.nerdctl;
      const own = new Nerdctl({ binary, toml, namespace, clusterRegistry: () => clusterRegistry });
      own.peers = peerMirrors({ peers: { near: () => [from], fetch, avoid }, log: (line) => said.push(line) });
      const pull = () =>
        own
          .pull(`${registry.tlsHost}/team/lan:1`, { credential: { username: "node", password: "secret" } })
          .catch(({ message }: Error) => said.push(message));
      await pull();
      if (!(await own.inspectImage(`${registry.tlsHost}/team/lan:1`))) await pull();
      expect(await own.inspectImage(`${registry.tlsHost}/team/lan:1`)).toBeDefined();
      return {
        said,
        asked: registry.asked.filter((line) => line.startsWith(`GET /v2/team/lan/blobs/${wanted}`)).length,
      };
    }

    test("a layer comes from who has it, and not from the registry", async () => {
      const layer = await layerOf({ file: randomBytes(MIB) });
      expect(await pullBeside(layer.content, layer)).toEqual({ said: ["images: 1.1 MB came from node n2"], asked: 0 });
    });

    test("what a node did not send to its end, the registry does", async () => {
      const layer = await layerOf({ file: randomBytes(MIB) });
      const { said, asked } = await pullBeside(layer.content.subarray(0, 700_000), layer);
      expect([said, asked]).toEqual([[expect.stringContaining("other bytes")], 1]);
    });

    test("what a node has wrong fails one pull, and the next has it from the registry", async () => {
      const layer = await layerOf({ file: randomBytes(MIB) });
      const { said } = await pullBeside(Buffer.alloc(layer.content.length, "wrong"), layer);
      expect(said).toEqual([
        expect.stringContaining("other bytes"),
        expect.stringContaining("unexpected commit digest"),
      ]);
    });
  });

  test("that has too much to do is asked again", async () => {
    let busy = 3;
    registry.faults.push((_, answer) => busy-- > 0 && Boolean(answer.writeHead(429).end()));
    expect((await ensure(`${registry.host}/team/app:1`, "Always")).image).toBeDefined();
  });

  test("that sends something else than it says, and then the right thing", async () => {
    const layer = await layerOf({ file: randomBytes(50_000) });
    await registry.push("team/broken", "1", [layer]);
    registry.faults.push(
      ({ method, url = "" }, answer) =>
        method === "GET" && url.includes("/blobs/") && Boolean(answer.writeHead(200).end(Buffer.alloc(10))),
    );
    const image = `${registry.host}/team/broken:1`;
    expect(await failure(image)).toMatch(/^failed to pull and unpack image .*(unexpected|failed|short)/);
    registry.faults.length = 0;
    // containerd may go on once from the wrong bytes that it has, and finds then that they are.
    await until(async () => (await ensure(image)).image !== undefined);
  });
});

describe("a pull that takes long", () => {
  /** The registry sends half of each layer, and the rest when it is let go on. */
  async function slowImage(repository: string): Promise<{ image: string; isHeld(): boolean; goOn(): void }> {
    const layer = await layerOf({ file: randomBytes(4 * MIB) });
    await registry.push(repository, "1", [layer]);
    const held: (() => void)[] = [];
    registry.faults.push(({ method, url = "" }, answer) => {
      if (method !== "GET" || !url.endsWith(`/blobs/${digestOf(layer.content)}`)) return false;
      answer.writeHead(200, { "content-length": layer.content.length });
      answer.write(layer.content.subarray(0, 2 * MIB));
      held.push(() => answer.end(layer.content.subarray(2 * MIB)));
      return true;
    });
    const goOn = () => {
      for (const end of held.splice(0)) end();
    };
    return { image: `${registry.host}/${repository}:1`, isHeld: () => held.length > 0, goOn };
  }

  const running = async () => (await run("pgrep", ["-af", `pull .*${registry.host}`])).stdout;

  test("tells how much of how much has come", async () => {
    const { image, isHeld, goOn } = await slowImage("team/slow");
    const ensured = ensure(image);
    await until(isHeld);
    const progress = () => runtime.nerdctl.fetching(image);
    await until(() => (progress()?.bytes ?? 0) > MIB);
    await until(() => (progress()?.totalBytes ?? 0) > 4 * MIB);
    // The last of the half, and other parts of the image, may still be coming.
    await until(async () => {
      const mark = progress()?.mark;
      await effects.sleep(200);
      return mark !== undefined && progress()?.mark === mark;
    });
    goOn();
    expect((await ensured).image).toBeDefined();
    expect(progress()).toBeUndefined();
  });

  test("ends when nobody waits for it, and goes on from there another time", async () => {
    const { image } = await slowImage("team/left");
    const ending = new AbortController();
    const container = { name: "app", image, imagePullPolicy: "IfNotPresent" };
    const ensured = images.ensure(newPod(), container, {}, secrets, ending.signal);
    await until(() => (runtime.nerdctl.fetching(image)?.bytes ?? 0) > MIB);
    expect(await running()).toContain(image);
    ending.abort(new Error("the pod is being deleted"));
    expect(await ensured).toBeUndefined();
    await until(async () => (await running()) === "");
    registry.faults.length = 0;
    expect((await ensure(image)).image).toBeDefined();
  });

  test("shows no password, and leaves none behind", async () => {
    registry.users.set("private/", "jane:very-secret");
    secret("jane", registry.host, "jane:very-secret");
    const { image, isHeld, goOn } = await slowImage("private/slow");
    const ensured = ensure(image, "Always", newPod("jane"));
    await until(isHeld);
    const commands = await run("ps", ["-eo", "args"]);
    expect(commands.stdout).toContain(image);
    expect(commands.stdout).not.toMatch(/very-secret|amFuZTp2ZXJ5/);
    const parent = join(runtime.home, "containerd/pulls");
    const [folder = ""] = readdirSync(parent);
    const modes = [parent, join(parent, folder), join(parent, folder, "config.json")].map(
      (path) => statSync(path).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o700, 0o600]);
    goOn();
    expect((await ensured).image).toBeDefined();
    expect(readdirSync(parent)).toEqual([]);
    runtime.nerdctl.forgetPulls();
    expect(existsSync(parent)).toBe(false);
    expect(told.join()).not.toContain("very-secret");
  });
});

describe("a registry that wants credentials", () => {
  const image = () => `${registry.host}/private/app:1`;

  beforeEach(async () => {
    await registry.push("private/app", "1", [await layerOf({ file: "private" })]);
    registry.users.set("private/", "jane:very-secret");
    const before = await runtime.nerdctl.inspectImage(image());
    if (!before) return;
    await runtime.nerdctl.removeImage(before);
    images.forget(before.Id);
  });

  test("is told of when there are none, or wrong ones", async () => {
    const denied = resolveFailure(
      image(),
      "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
    );
    expect(await failure(image())).toBe(denied);
    secret("wrong", registry.host, "jane:guessed");
    expect(await failure(image(), newPod("wrong"))).toMatch(/^failed to pull and unpack image .*(401|denied)/);
    expect(told.join()).not.toContain("guessed");
  });

  test("gets each that matches in turn, those of the node last", async () => {
    secret("elsewhere", "registry.example.com", "jane:very-secret");
    secret("wrong", registry.host, "jane:guessed");
    secret("right", `${registry.host}/private`, "jane:very-secret");
    expect(await failure(image(), newPod("elsewhere", "wrong"))).toBeDefined();
    expect((await ensure(image(), "Always", newPod("elsewhere", "wrong", "right"))).image).toBeDefined();

    const node = join(runtime.home, "config.json");
    writeFileSync(node, JSON.stringify({ auths: { [registry.host]: { username: "jane", password: "very-secret" } } }));
    try {
      expect((await ensure(image(), "Always", newPod("wrong"))).image).toBeDefined();
    } finally {
      rmSync(node);
    }
  });

  test("gets what a program of the node knows", async () => {
    const answer = {
      kind: "CredentialProviderResponse",
      apiVersion: "credentialprovider.kubelet.k8s.io/v1",
      cacheKeyType: "Registry",
      cacheDuration: "1h",
      auth: { "127.0.0.1:*": {}, [registry.host]: { username: "jane", password: "very-secret" } },
    };
    const binDir = join(runtime.home, "providers");
    mkdirSync(binDir);
    writeFileSync(join(binDir, "cloud"), `#!/bin/sh\ncat >> ${binDir}/asked\necho '${JSON.stringify(answer)}'\n`, {
      mode: 0o755,
    });
    const provider = { name: "cloud", matchImages: [registry.host], defaultCacheDuration: "0s" };
    const config = {
      apiVersion: "kubelet.config.k8s.io/v1",
      kind: "CredentialProviderConfig",
      providers: [{ ...provider, apiVersion: answer.apiVersion }],
    };
    images = newImages({ credentialProviders: { binDir, config } });
    for (const _ of [1, 2]) expect((await ensure(image(), "Always")).image).toBeDefined();
    const request = { kind: "CredentialProviderRequest", apiVersion: answer.apiVersion };
    expect(JSON.parse(readFileSync(join(binDir, "asked"), "utf8"))).toEqual({
      ...request,
      image: `${registry.host}/private/app`,
    });
  });

  test("opens an image to those who have them alone, also after the agent began anew", async () => {
    secret("right", registry.host, "jane:very-secret");
    expect((await ensure(image(), "IfNotPresent", newPod("right"))).image).toBeDefined();
    for (let lives = 0; lives < 2; lives++) {
      registry.asked.length = 0;
      expect((await ensure(image(), "IfNotPresent", newPod("right"))).image).toBeDefined();
      expect(registry.asked).toEqual([]);
      expect((await ensure(image(), "Never")).memory.waiting?.reason).toBe("ErrImageNeverPull");
      expect((await ensure(image())).memory.waiting?.reason).toBe("ErrImagePull");
      images = newImages();
    }
  });
});

describe("hosts that a node's files describe", () => {
  test("stand for a registry, with its credentials", async () => {
    await registry.push("private/mirrored", "1", [await layerOf({ file: "mirrored" })]);
    registry.users.set("private/", "jane:very-secret");
    hostsToml("registry.example.com", `[host."http://${registry.host}"]\n  capabilities = ["pull", "resolve"]\n`);
    secret("example", "registry.example.com", "jane:very-secret");
    const { image } = await ensure("registry.example.com/private/mirrored:1", "Always", newPod("example"));
    expect(image?.name).toBe("registry.example.com/private/mirrored:1");
  });

  test("stand for Docker Hub by its own name", async () => {
    hostsToml("docker.io", `[host."http://${registry.host}"]\n  capabilities = ["pull", "resolve"]\n`);
    expect((await ensure("team/app:1", "Always")).image?.name).toBe("docker.io/team/app:1");
  });

  test("may have a certificate of their own", async () => {
    const image = `${registry.tlsHost}/team/app:1`;
    hostsToml(registry.tlsHost, `server = "https://${registry.tlsHost}"\n`);
    expect(await failure(image)).toContain("x509: certificate signed by unknown authority");
    hostsToml(registry.tlsHost, `server = "https://${registry.tlsHost}"\nca = "ca.pem"\n`);
    expect((await ensure(image)).image).toBeDefined();
  });
});

describe("images that have to be signed", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const data = publicKey.export({ type: "spki", format: "pem" }).toString();

  const signing = () =>
    newImages({
      imagePolicies: [
        {
          apiVersion: "policy.sigstore.dev/v1beta1",
          kind: "ClusterImagePolicy",
          metadata: { name: "signed" },
          spec: { images: [{ glob: `${registry.host}/signed/**` }], authorities: [{ key: { data } }] },
        },
      ],
    });

  async function pushSigned(repository: string, digest: string): Promise<void> {
    const payload = {
      critical: {
        identity: { "docker-reference": `${registry.host}/${repository}` },
        image: { "docker-manifest-digest": digest },
        type: "cosign container image signature",
      },
      optional: null,
    };
    const content = Buffer.from(JSON.stringify(payload));
    const annotations = {
      "dev.cosignproject.cosign/signature": sign("sha256", content, privateKey).toString("base64"),
    };
    const layer = { mediaType: SIGNATURE_LAYER, content, annotations };
    const config = imageConfig([layer], { architecture: "", os: "", config: {} });
    await registry.push(repository, `${digest.replace(":", "-")}.sig`, [layer], config);
  }

  test("run by the digest that is signed, and no others", async () => {
    images = signing();
    await ensure(`${registry.host}/team/app:1`);
    await until(() => told.some((event) => event.startsWith("Pulled")));
    told = [];
    const digest = await registry.push("signed/app", "1", [await layerOf({ file: "signed" })]);
    const image = `${registry.host}/signed/app:1`;
    const refused = await ensure(image);
    expect(refused.image).toBeUndefined();
    expect(refused.memory.waiting).toMatchObject({
      reason: "SignatureValidationFailed",
      message: `image pull failed for ${image} because the signature validation failed: no signatures found`,
    });
    expect(await toldUntil("Failed: Error: SignatureValidationFailed")).toEqual([
      `Pulling: Pulling image "${image}"`,
      `Failed: Failed to pull image "${image}": SignatureValidationFailed: no signatures found`,
      "Failed: Error: SignatureValidationFailed",
    ]);
    await pushSigned("signed/app", digest);
    expect((await ensure(image)).image).toMatchObject({ reference: digest, name: image });

    registry.faults.push((_, answer) => Boolean(answer.writeHead(500).end()));
    images = signing();
    expect((await ensure(image)).image?.reference).toBe(digest); // known, though nobody can be asked
    expect((await ensure(`${registry.host}/team/app:1`)).image?.reference).toBe(`${registry.host}/team/app:1`);

    registry.faults.length = 0;
    await registry.push("signed/app", "1", [await layerOf({ file: "another" })]);
    expect((await ensure(image, "Always")).memory.waiting?.reason).toBe("SignatureValidationFailed");
    expect((await nerdctl("images", "--format", "{{.Repository}}:{{.Tag}}")).stdout).not.toContain(".sig");
  });
});

test("a disk that is full", async () => {
  const folder = join(tmpdir(), `skerry-small-${process.pid}`);
  mkdirSync(folder);
  await checked("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", folder]);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  let small: TestRuntime | undefined;
  try {
    small = await startRuntime();
    images = newImages({}, small);
    await registry.push("team/large", "1", [await layerOf({ file: randomBytes(8_000_000) })]);
    expect(await failure(`${registry.host}/team/large:1`)).toContain("no space left on device");
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    await small?.stop();
    await checked("umount", [folder]);
    rmSync(folder, { recursive: true });
  }
  expect(existsSync(folder)).toBe(false);
  expect(readFileSync("/proc/mounts", "utf8")).not.toContain(folder);
});
