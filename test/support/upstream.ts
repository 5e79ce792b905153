/**
 * Programs of the Kubernetes project and its neighbours, built from their Go modules into the cache: the conformance
 * suite, the programs of its images, and servers to compare and work with. The first build takes minutes, later ones nothing.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cachePath } from "../../agent/local/home.ts";
import { type Progress, which } from "../../agent/local/install.ts";
import { checked, locked } from "./programs.ts";

export const KUBERNETES_VERSION = "v1.35.4";
const STAGING_VERSION = KUBERNETES_VERSION.replace("v1", "v0");
const BUILD_TIMEOUT_MS = 1_800_000;

/** A program of a module of its own, at the module's version. */
type Other = {
  module: string;
  version: string;
  package?: string;
  /** Modules that it requires by paths in its own repository, with their published versions. */
  beside?: Readonly<Record<string, string>>;
};

/** Programs of k8s.io/kubernetes (and of what it requires), by package. */
const KUBERNETES = {
  "e2e.test": "k8s.io/kubernetes/test/e2e",
  ginkgo: "github.com/onsi/ginkgo/v2/ginkgo",
  "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
  "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
  "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
  kubelet: "k8s.io/kubernetes/cmd/kubelet",
  kubectl: "k8s.io/kubernetes/cmd/kubectl",
  agnhost: "k8s.io/kubernetes/test/images/agnhost",
  nonewprivs: "k8s.io/kubernetes/test/images/nonewprivs",
  "resource-consumer": "k8s.io/kubernetes/test/images/resource-consumer",
  "consume-cpu": "k8s.io/kubernetes/test/images/resource-consumer/consume-cpu",
  "regression-issue-74839": "k8s.io/kubernetes/test/images/regression-issue-74839",
} as const;

/** The last version whose programs are of the module itself. */
const CERT_MANAGER = { module: "github.com/cert-manager/cert-manager", version: "v1.11.5" };
const GATEWAY_CONFORMANCE = {
  module: "sigs.k8s.io/gateway-api/conformance",
  version: "v1.5.1",
  beside: { "sigs.k8s.io/gateway-api": "v1.5.1" },
};
const CONTAINERD = { module: "github.com/containerd/containerd/v2", version: "v2.1.5" };

const OTHERS = {
  containerd: { ...CONTAINERD, package: `${CONTAINERD.module}/cmd/containerd` },
  "containerd-shim-runc-v2": { ...CONTAINERD, package: `${CONTAINERD.module}/cmd/containerd-shim-runc-v2` },
  etcd: { module: "go.etcd.io/etcd/server/v3", version: "v3.6.6" },
  kwok: { module: "sigs.k8s.io/kwok", version: "v0.7.0", package: "sigs.k8s.io/kwok/cmd/kwok" },
  "sample-apiserver": { module: "k8s.io/sample-apiserver", version: "v0.29.2" },
  "kube-state-metrics": { module: "k8s.io/kube-state-metrics/v2", version: "v2.15.0" },
  "metrics-server": {
    module: "sigs.k8s.io/metrics-server",
    version: "v0.8.0",
    package: "sigs.k8s.io/metrics-server/cmd/metrics-server",
  },
  "cert-manager": { ...CERT_MANAGER, package: `${CERT_MANAGER.module}/cmd/controller` },
  "cert-manager-webhook": { ...CERT_MANAGER, package: `${CERT_MANAGER.module}/cmd/webhook` },
  "cert-manager-cainjector": { ...CERT_MANAGER, package: `${CERT_MANAGER.module}/cmd/cainjector` },
  contour: {
    module: "github.com/projectcontour/contour",
    version: "v1.33.8",
    package: "github.com/projectcontour/contour/cmd/contour",
  },
  coredns: { module: "github.com/coredns/coredns", version: "v1.15.0" },
  "gateway-conformance.test": GATEWAY_CONFORMANCE,
  "echo-basic": { ...GATEWAY_CONFORMANCE, package: `${GATEWAY_CONFORMANCE.module}/echo-basic` },
  k9s: { module: "github.com/derailed/k9s", version: "v0.50.16" },
  "registry-conformance": {
    module: "github.com/opencontainers/distribution-spec/conformance",
    version: "v0.0.0-20260831232431-97274622c111",
  },
  registry: {
    module: "github.com/distribution/distribution/v3",
    version: "v3.1.2",
    package: "github.com/distribution/distribution/v3/cmd/registry",
  },
} as const satisfies Record<string, Other>;

export type UpstreamName = keyof typeof KUBERNETES | keyof typeof OTHERS;

/** Where the program lies once it is built. */
const upstreamFolder = () => join(cachePath(process.env), "upstream", KUBERNETES_VERSION);

/** The path of a static program, built when it is not there yet. Throws without a Go toolchain. */
export async function upstreamProgram(name: UpstreamName, progress: Progress): Promise<string> {
  const path = join(upstreamFolder(), name);
  if (existsSync(path)) return path;
  const go = goToolchain(name);
  mkdirSync(upstreamFolder(), { recursive: true });
  return locked("upstream", async () => {
    if (existsSync(path)) return path; // another process has built it while this one waited
    const other: Other | undefined = name in OTHERS ? OTHERS[name as keyof typeof OTHERS] : undefined;
    const version = other ? other.version : `of Kubernetes ${KUBERNETES_VERSION}`;
    progress(`building ${name} ${version} from its Go module; the first time takes minutes`);
    const folder = other ? await otherModule(go, name, other) : await kubernetesModule(go);
    const target = other ? (other.package ?? other.module) : KUBERNETES[name as keyof typeof KUBERNETES];
    const verb = name.endsWith(".test") ? ["test", "-c", "-vet=off"] : ["build"];
    await goRun(go, [...verb, "-ldflags", linkerFlags(), "-o", `${path}.new`, target], folder);
    renameSync(`${path}.new`, path);
    return path;
  });
}

/** A program of a Go module of this repository, by its package in `module`; built again when the module changes. */
export async function ownProgram(module: string, name: string, progress: Progress): Promise<string> {
  const go = goToolchain(name);
  const files = readdirSync(module, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  const hash = createHash("sha256");
  for (const file of files) hash.update(file.slice(module.length)).update(readFileSync(file));
  const path = join(cachePath(process.env), "clients", `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  return locked("clients", async () => {
    if (existsSync(path)) return path;
    progress(`building ${name} from its Go module; the first time takes minutes`);
    await goRun(go, ["build", "-mod=readonly", "-ldflags=-s -w", "-o", `${path}.new`, `./${name}`], module);
    for (const old of readdirSync(dirname(path)).filter(
      (file) => file.startsWith(`${name}-`) && !file.endsWith(".new"),
    ))
      rmSync(join(dirname(path), old));
    renameSync(`${path}.new`, path);
    return path;
  });
}

function goToolchain(what: string): string {
  const go = which("go", ["/usr/local/go/bin"]);
  if (!go) throw new Error(`${what} is built from Go modules, and there is no Go toolchain on the PATH`);
  return go;
}

/** Releases of Kubernetes carry their version by the linker; the suite refuses to run without one. */
function linkerFlags(): string {
  const [major, minor] = KUBERNETES_VERSION.slice(1).split(".");
  const values = {
    gitVersion: KUBERNETES_VERSION,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: "clean",
    buildDate: "2026-01-01T00:00:00Z",
  };
  return [
    "-s -w",
    ...Object.entries(values).map(([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`),
  ].join(" ");
}

function goRun(go: string, args: readonly string[], cwd: string): Promise<string> {
  const env = {
    ...process.env,
    CGO_ENABLED: "0",
    GOTOOLCHAIN: "local",
    GOFLAGS: "-mod=mod",
    GONOSUMDB: process.env.GONOSUMDB ?? "*",
  };
  return checked(go, args, { cwd, env, timeoutMs: BUILD_TIMEOUT_MS }).then(({ stdout }) => stdout);
}

/**
 * k8s.io/kubernetes cannot be built outside its repository as it is: it requires its parts by paths there. This module
 * replaces them by their published versions.
 */
async function kubernetesModule(go: string): Promise<string> {
  const folder = join(upstreamFolder(), ".kubernetes");
  if (existsSync(join(folder, "go.sum"))) return folder;
  mkdirSync(folder, { recursive: true });
  const source = await moduleFolder(go, folder, `k8s.io/kubernetes@${KUBERNETES_VERSION}`);
  const parts = readFileSync(join(source, "go.mod"), "utf8").matchAll(/^\s*(\S+) => \.\/staging/gm);
  const replaced = [...parts].map(([, name]) => `\t${name} => ${name} ${STAGING_VERSION}\n`).join("");
  writeFileSync(
    join(folder, "go.mod"),
    `${moduleHeader}\nrequire k8s.io/kubernetes ${KUBERNETES_VERSION}\nreplace (\n${replaced})\n`,
  );
  writeFileSync(join(folder, "go.sum"), readFileSync(join(source, "go.sum")));
  return folder;
}

const moduleHeader = "module build\n\ngo 1.25.0\ngodebug default=go1.25\n";

async function otherModule(go: string, name: string, { module, version, beside = {} }: Other): Promise<string> {
  const folder = join(upstreamFolder(), `.${name}`);
  mkdirSync(folder, { recursive: true });
  const replaced = Object.entries(beside).map(([other, at]) => `replace ${other} => ${other} ${at}\n`);
  writeFileSync(join(folder, "go.mod"), moduleHeader + replaced.join(""));
  await goRun(go, ["get", `${module}@${version}`], folder);
  return folder;
}

async function moduleFolder(go: string, cwd: string, module: string): Promise<string> {
  const answer = JSON.parse(await goRun(go, ["mod", "download", "-json", module], cwd)) as { Dir: string };
  return answer.Dir;
}

/** The source of another program, for the files that it comes with. */
export function moduleSource(name: keyof typeof OTHERS): Promise<string> {
  const { module, version } = OTHERS[name];
  return moduleFolder(goToolchain(`the source of ${name}`), "/", `${module}@${version}`);
}

/** The source of the Gateway API, for its definitions. */
export async function gatewaySource(): Promise<string> {
  const [[module, version] = []] = Object.entries(GATEWAY_CONFORMANCE.beside);
  return moduleFolder(goToolchain("the source of the Gateway API"), "/", `${module}@${version}`);
}

/** The source of Kubernetes, for the files that its images are made of. */
export async function kubernetesSource(): Promise<string> {
  const go = goToolchain("the source of Kubernetes");
  return moduleFolder(go, "/", `k8s.io/kubernetes@${KUBERNETES_VERSION}`);
}
