/** Which cluster a command means, and the administrator's way to it. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { administratorToken } from "../../worker/lib/administrator.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import { run } from "../process.ts";
import { administrator, ensureSecret } from "./credentials.ts";
import { files, type Home } from "./home.ts";
import type { Server } from "./http.ts";

export type Reach = {
  /** Name of the cluster within its deployment. */
  cluster: string;
  /** A deployment elsewhere, as `skerry deploy` made it: this home's secret is its. */
  server?: string;
  /** The current context of a kubeconfig, instead of all that. */
  kubeconfig?: string;
  /** Another context of it, or of what kubectl itself reads. */
  context?: string;
};

/** `namespace`: the one that is meant where none is named. */
export type Reached = Server & { namespace?: string };

/** Set by `kubectl skerry`: kubectl's cluster is meant where no other is named. */
export const BY_KUBECTL = "SKERRY_BY_KUBECTL";

export async function reach(home: Home, { cluster, server, kubeconfig, context }: Reach): Promise<Reached> {
  if (kubeconfig !== undefined) return fromKubeconfig(kubeconfig, context);
  if (context !== undefined || (process.env[BY_KUBECTL] && server === undefined)) return fromKubectl(context);
  if (!existsSync(files(home.path).secret))
    throw new Error(
      `${home.path} has no cluster: \`skerry up\` starts one here, --kubeconfig or --context names one elsewhere`,
    );
  if (server === undefined) return administrator(home, cluster);
  const path = cluster === "default" ? "" : `/clusters/${cluster}`;
  const token = await administratorToken(ensureSecret(home.path), cluster);
  return { url: `${server}${path}`, token };
}

type Named<What extends string, T> = { name: string } & Partial<Record<What, T>>;
type Kubeconfig = {
  "current-context"?: string;
  contexts?: Named<"context", { cluster: string; user: string; namespace?: string }>[];
  clusters?: Named<
    "cluster",
    { server: string; "certificate-authority"?: string; "certificate-authority-data"?: string }
  >[];
  users?: Named<"user", { token?: string; tokenFile?: string }>[];
};

/** Of the ways to log in that a kubeconfig may name, the tokens. https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
function fromKubeconfig(path: string, context?: string): Reached {
  const text = readFileSync(path, "utf8");
  let config: Kubeconfig | null;
  try {
    config = parse(text) as Kubeconfig | null;
  } catch (error) {
    throw new Error(`${path} is no kubeconfig: ${errorText(error).split("\n")[0]}`);
  }
  return serverIn(config ?? {}, path, context);
}

/** As kubectl merges its files: $KUBECONFIG, else ~/.kube/config. */
async function fromKubectl(context?: string): Promise<Reached> {
  const args = [
    "config",
    "view",
    "--minify",
    "--flatten",
    "--raw",
    "-o",
    "json",
    ...(context ? ["--context", context] : []),
  ];
  const { code, stdout, stderr } = await run("kubectl", args).catch(() => {
    throw new Error("kubectl is not on the PATH: install it, or name a file with --kubeconfig");
  });
  if (code !== 0) throw new Error(`kubectl: ${stderr.trim()}`);
  return serverIn(JSON.parse(stdout) as Kubeconfig, "kubectl's configuration");
}

function serverIn(config: Kubeconfig, path: string, chosen = config["current-context"]): Reached {
  const named = <T extends { name: string }>(list: readonly T[] | undefined, name: string | undefined) =>
    list?.find((item) => item.name === name);
  const context = named(config.contexts, chosen)?.context;
  const cluster = named(config.clusters, context?.cluster)?.cluster;
  const user = named(config.users, context?.user)?.user;
  if (!cluster) {
    const names = config.contexts?.map(({ name }) => name).join(", ") || "none";
    const wanted = chosen ? `context ${chosen}` : "current context";
    throw new Error(`${path} has no ${wanted} with a cluster: --context names one of those that it has, ${names}`);
  }
  const beside = (file: string) => readFileSync(resolve(dirname(path), file), "utf8");
  const token = user?.token ?? (user?.tokenFile && beside(user.tokenFile).trim());
  if (!token) throw new Error(`${path}: its user has no token, and there is no other way to log in here`);
  const data = cluster["certificate-authority-data"];
  const file = cluster["certificate-authority"];
  const ca = data ? Buffer.from(data, "base64").toString() : file && beside(file);
  return { url: cluster.server, token, ...(ca && { ca }), namespace: context?.namespace };
}
