/** Which cluster a command means, and the administrator's way to it. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { administratorToken } from "../../worker/lib/administrator.ts";
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
};

export async function reach(home: Home, { cluster, server, kubeconfig }: Reach): Promise<Server> {
  if (kubeconfig !== undefined) return fromKubeconfig(kubeconfig);
  if (!existsSync(files(home.path).secret)) throw new Error(`${home.path} has no cluster: name one with --kubeconfig`);
  if (server === undefined) return administrator(home, cluster);
  const path = cluster === "default" ? "" : `/clusters/${cluster}`;
  const token = await administratorToken(ensureSecret(home.path), cluster);
  return { url: `${server.replace(/\/$/, "")}${path}`, token };
}

type Named<What extends string, T> = { name: string } & Partial<Record<What, T>>;
type Kubeconfig = {
  "current-context"?: string;
  contexts?: Named<"context", { cluster: string; user: string }>[];
  clusters?: Named<
    "cluster",
    { server: string; "certificate-authority"?: string; "certificate-authority-data"?: string }
  >[];
  users?: Named<"user", { token?: string; tokenFile?: string }>[];
};

/** Of the ways to log in that a kubeconfig may name, the tokens. https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
function fromKubeconfig(path: string): Server {
  const config = parse(readFileSync(path, "utf8")) as Kubeconfig;
  const named = <T extends { name: string }>(list: readonly T[] | undefined, name: string | undefined) =>
    list?.find((item) => item.name === name);
  const context = named(config.contexts, config["current-context"])?.context;
  const cluster = named(config.clusters, context?.cluster)?.cluster;
  const user = named(config.users, context?.user)?.user;
  if (!cluster) throw new Error(`${path} has no current context with a cluster`);
  const beside = (file: string) => readFileSync(resolve(dirname(path), file), "utf8");
  const token = user?.token ?? (user?.tokenFile && beside(user.tokenFile).trim());
  if (!token) throw new Error(`${path}: its user has no token, and there is no other way to log in here`);
  const data = cluster["certificate-authority-data"];
  const file = cluster["certificate-authority"];
  const ca = data ? Buffer.from(data, "base64").toString() : file && beside(file);
  return { url: cluster.server, token, ...(ca && { ca }) };
}
