import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { stringify } from "yaml";
import { files, writeFile } from "./home.ts";

/** The deployment's secret: made once, kept on this machine, bound to the Worker. */
export function ensureSecret(home: string): string {
  const path = files(home).secret;
  if (!existsSync(path)) writeFile(path, `${randomBytes(32).toString("base64url")}\n`);
  return readFileSync(path, "utf8").trim();
}

/** A kubeconfig for kubectl: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ */
export function kubeconfig(cluster: {
  name: string;
  server: string;
  ca?: string;
  token: string;
  user?: string;
}): string {
  const user = cluster.user ?? "kubernetes-admin";
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: cluster.name,
        cluster: {
          server: cluster.server,
          ...(cluster.ca ? { "certificate-authority-data": Buffer.from(cluster.ca).toString("base64") } : {}),
        },
      },
    ],
    users: [{ name: user, user: { token: cluster.token } }],
    contexts: [{ name: cluster.name, context: { cluster: cluster.name, user } }],
    "current-context": cluster.name,
  });
}
