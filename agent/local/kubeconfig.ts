import { stringify } from "yaml";

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
