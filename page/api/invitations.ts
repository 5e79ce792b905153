/** Invitations: an account with a role, a token that is shown once and kept nowhere, and their end. */
import { type Client, StatusError } from "./client.ts";
import { partOf } from "./discovery.ts";
import type { Binding, KubeObject } from "./objects.ts";

/** On what an invitation made, so that its revocation takes that and nothing else. */
export const INVITED = "skerry.dev/invited";

const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const accountsIn = (namespace: string) => `/api/v1/namespaces/${partOf(namespace)}/serviceaccounts`;
const bindingsIn = (namespace: string) =>
  namespace === "" ? `${RBAC}/clusterrolebindings` : `${RBAC}/namespaces/${partOf(namespace)}/rolebindings`;

type Api = Pick<Client, "json">;

/** The role holds in the namespace `where`, in all with ""; the account is in `home`; the token lasts `seconds`. */
export type Invitation = { name: string; role: string; where: string; home: string; seconds: number };

/**
 * The account's name has an ending that no other has had: whatever is bound to one of that name that was revoked, seen here or
 * not, is nothing to it. Where it fails nothing of it stays.
 */
export async function invite(client: Api, invitation: Invitation): Promise<{ name: string; token: string }> {
  const { home, where, seconds } = invitation;
  const account = await client.json<KubeObject>(accountsIn(home), { method: "POST", body: accountOf(invitation) });
  const { name } = account.metadata;
  const bindings: Binding[] = [];
  try {
    const body = bindingOf(invitation, name);
    bindings.push(await client.json<Binding>(bindingsIn(where), { method: "POST", body }));
    const request = await client.json<{ status: { token: string } }>(`${accountsIn(home)}/${partOf(name)}/token`, {
      method: "POST",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: seconds } },
    });
    return { name, token: request.status.token };
  } catch (error) {
    await revoke(client, account, bindings).catch(() => {}); // what failed first says why
    throw error;
  }
}

const accountOf = ({ name }: Invitation) => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { generateName: `${name}-`, labels: { [INVITED]: "true" } },
});

const bindingOf = ({ role, where, home }: Invitation, name: string) => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: where === "" ? "ClusterRoleBinding" : "RoleBinding",
  metadata: { generateName: `${name}-`, labels: { [INVITED]: "true" } },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
  subjects: [{ kind: "ServiceAccount", name, namespace: home }],
});

/** Those that an account is a subject of. */
export const boundTo = ({ metadata: { name, namespace } }: KubeObject, bindings: readonly Binding[]): Binding[] =>
  bindings.filter(({ subjects = [] }) =>
    subjects.some((each) => each.kind === "ServiceAccount" && each.name === name && each.namespace === namespace),
  );

/**
 * The account last, so that what was left off half-way can be done again; and whatever becomes of its bindings, since without it
 * its tokens are good for nothing. Throws for what stays.
 */
export async function revoke(client: Api, account: KubeObject, bindings: readonly Binding[]): Promise<void> {
  const { name, namespace = "" } = account.metadata;
  const own = boundTo(account, bindings).filter(({ metadata }) => metadata.labels?.[INVITED] === "true");
  const removed = await Promise.allSettled(
    own.map(({ metadata }) => remove(client, `${bindingsIn(metadata.namespace ?? "")}/${partOf(metadata.name)}`)),
  );
  await remove(client, `${accountsIn(namespace)}/${partOf(name)}`);
  for (const each of removed) if (each.status === "rejected") throw each.reason;
}

async function remove(client: Api, path: string): Promise<void> {
  try {
    await client.json(path, { method: "DELETE" });
  } catch (error) {
    if (!(error instanceof StatusError && error.code === 404)) throw error;
  }
}
