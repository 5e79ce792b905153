/** `skerry deploy`: the control plane on the user's own Cloudflare account. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { administratorToken } from "../../worker/lib/administrator.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import { type Finished, run, spawn } from "../process.ts";
import { ensurePage, packageRoot } from "./bundle.ts";
import { ensureSecret, ensureSecrets } from "./credentials.ts";
import { type Home, writeFile } from "./home.ts";
import type { Progress } from "./install.ts";
import { kubeconfig } from "./kubeconfig.ts";
import type { LoginSettings } from "./logins.ts";

export type DeployOptions = { name: string; bucket?: string; dryRun?: boolean; logins?: LoginSettings };

const environment = { ...process.env, WRANGLER_SEND_METRICS: "false" };

class Wrangler {
  private readonly root = packageRoot();
  private readonly program = join(
    dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
    "bin/wrangler.js",
  );

  /** Collects what it says. */
  async run(args: readonly string[], input?: string): Promise<Finished> {
    const done = await run(process.execPath, [this.program, ...args], { cwd: this.root, env: environment, input });
    if (done.code !== 0) throw new Error(`wrangler ${args[0]} ended with ${done.code}:\n${done.stdout}${done.stderr}`);
    return done;
  }

  /** In the foreground, where it may ask the user and open a browser. */
  login(): Promise<void> {
    const child = spawn(process.execPath, [this.program, "login"], {
      cwd: this.root,
      env: environment,
      stdio: "inherit",
    });
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error("not logged in to Cloudflare"))));
    });
  }
}

/** It is made, and one that is there already is as good: a list of all would be only its first page. */
export async function ensureBucket(run: (args: readonly string[]) => Promise<unknown>, name: string): Promise<void> {
  try {
    await run(["r2", "bucket", "create", name]);
  } catch (error) {
    if (!/already exists|\[code: 10004\]/.test(errorText(error))) throw error;
  }
}

/** Where wrangler's configuration with the bucket lies: what it names it names from there. */
function withBucket(home: Home, bucket: string): string {
  const root = packageRoot();
  const text = readFileSync(join(root, "wrangler.toml"), "utf8");
  const path = join(home.path, "deploy/wrangler.toml");
  const absolute = text.replace(
    /^(main|directory) = "(.*)"$/gm,
    (_, key: string, file: string) => `${key} = ${JSON.stringify(join(root, file))}`,
  );
  const bound = `\n[[r2_buckets]]\nbinding = "BUCKET"\nbucket_name = ${JSON.stringify(bucket)}\n`;
  writeFile(path, absolute + bound);
  return path;
}

/** By the Worker's names for them; those that are not named stay as they were, but for a client of issuers that were. */
export const loginSecrets = ({ tokens, authentication, loginClients }: LoginSettings = {}) => ({
  SKERRY_TOKENS: tokens,
  SKERRY_AUTHENTICATION: authentication,
  SKERRY_LOGIN_CLIENTS: loginClients ?? (authentication && "{}"),
});

export async function deploy(home: Home, options: DeployOptions, progress: Progress): Promise<void> {
  const wrangler = new Wrangler();
  await ensurePage(packageRoot()); // wrangler uploads it
  const name = ["--name", options.name, ...(options.bucket ? ["--config", withBucket(home, options.bucket)] : [])];
  if (options.dryRun) {
    const folder = join(home.path, "deploy");
    await wrangler.run(["deploy", ...name, "--dry-run", "--outdir", folder]);
    return progress(`bundled into ${folder}; nothing was deployed`);
  }
  const who = await wrangler.run(["whoami"]);
  if (/not authenticated/i.test(who.stdout)) await wrangler.login();
  if (options.bucket) await ensureBucket((args) => wrangler.run(args), options.bucket);
  progress("deploying");
  const deployed = await wrangler.run(["deploy", ...name]);
  const url = /https:\/\/\S+\.workers\.dev/.exec(deployed.stdout)?.[0];
  const secrets = { SKERRY_SECRET: ensureSecrets(home.path), ...loginSecrets(options.logins) };
  for (const [key, value] of Object.entries(secrets))
    if (value) await wrangler.run(["secret", "put", key, ...name], value);
  if (!url) return progress(`deployed, but wrangler named no workers.dev address:\n${deployed.stdout}`);
  const path = join(home.path, "kubeconfig-cloudflare");
  const token = await administratorToken(ensureSecret(home.path), "default");
  writeFile(path, kubeconfig({ name: options.name, server: url, token }));
  progress(`deployed to ${url}. In this terminal:\n\n  export KUBECONFIG=${path}\n  kubectl get namespaces\n`);
}
