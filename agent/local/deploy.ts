/** `skerry deploy`: the control plane on the user's own Cloudflare account. */
import { join } from "node:path";
import { administratorToken } from "../../worker/lib/administrator.ts";
import { run, spawn } from "../process.ts";
import { packageRoot } from "./bundle.ts";
import { ensureSecret, kubeconfig } from "./credentials.ts";
import { type Home, writeFile } from "./home.ts";
import type { Progress } from "./install.ts";

export type DeployOptions = { name: string; dryRun?: boolean };

/** Runs wrangler in the foreground, so that it may ask the user to log in. */
function wrangler(root: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [join(root, "node_modules/wrangler/bin/wrangler.js"), ...args], {
    cwd: root,
    stdio: "inherit",
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

export async function deploy(home: Home, options: DeployOptions, progress: Progress): Promise<void> {
  const root = packageRoot();
  const common = ["--name", options.name];
  if (options.dryRun) {
    const code = await wrangler(root, ["deploy", ...common, "--dry-run", "--outdir", join(home.path, "deploy")]);
    if (code !== 0) throw new Error(`wrangler ended with ${code}`);
    return progress(`bundled into ${join(home.path, "deploy")}; nothing was deployed`);
  }
  progress("deploying; wrangler may open a browser to log in");
  const code = await wrangler(root, ["deploy", ...common]);
  if (code !== 0) throw new Error(`wrangler ended with ${code}`);
  const secret = ensureSecret(home.path);
  const put = await run(
    process.execPath,
    [join(root, "node_modules/wrangler/bin/wrangler.js"), "secret", "put", "SKERRY_SECRET", ...common],
    { cwd: root, input: secret },
  );
  if (put.code !== 0) throw new Error(`the secret could not be set: ${put.stderr}`);
  const token = await administratorToken(secret, "default");
  const path = join(home.path, "kubeconfig-cloudflare");
  writeFile(
    path,
    kubeconfig({ name: options.name, server: `https://${options.name}.YOUR-SUBDOMAIN.workers.dev`, token }),
  );
  progress(`wrote ${path}: put in the address that wrangler printed above, then use it with kubectl --kubeconfig`);
}
