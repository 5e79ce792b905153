import { useState } from "preact/hooks";
import type { Client } from "../api/client.ts";
import { partOf } from "../api/discovery.ts";
import type { Binding, KubeObject } from "../api/objects.ts";
import { bindingsOf, INVITED, invitation, whereOf } from "../facts/people.ts";
import { Audit } from "../parts/audit.tsx";
import { Action, Age, FreshnessLine, Rows } from "../parts/parts.tsx";
import { CLUSTER_BINDINGS, useClient, useFreshness, useObjects, usePaths } from "../state/cluster.ts";
import { namespace as chosenNamespace } from "../state/session.ts";

const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const ROLES = ["view", "edit", "admin", "cluster-admin"] as const;
const HOUR_S = 3600;

const accountsIn = (namespace: string) => `/api/v1/namespaces/${partOf(namespace)}/serviceaccounts`;
const bindingsIn = (namespace: string) =>
  namespace === "" ? `${RBAC}/clusterrolebindings` : `${RBAC}/namespaces/${partOf(namespace)}/rolebindings`;

export function People() {
  const paths = usePaths();
  const local = useObjects<Binding>(paths.roleBindings);
  const global = useObjects<Binding>(CLUSTER_BINDINGS);
  const accounts = useObjects<KubeObject>(paths.accounts);
  const { freshness } = useFreshness([paths.roleBindings, CLUSTER_BINDINGS, paths.accounts]);
  const invited = accounts.filter(({ metadata }) => metadata.labels?.[INVITED] === "true");
  const all = bindingsOf([...global, ...local]);
  return (
    <>
      <h1>People</h1>
      <FreshnessLine of={freshness} />
      <Invite />
      <section aria-labelledby="invited">
        <h2 id="invited">Invited here</h2>
        {invited.length === 0 && <p class="hint">Nobody.</p>}
        {invited.length > 0 && (
          <Rows heads={["Name", "Namespace", "Roles", "Since", "Revoke"]}>
            {invited.map((account) => (
              <Invited key={account.metadata.uid} account={account} bindings={[...global, ...local]} />
            ))}
          </Rows>
        )}
      </section>
      <section aria-labelledby="bindings">
        <h2 id="bindings">Who may what</h2>
        <Rows heads={["Who", "Kind", "Role", "Where"]}>
          {all.map(({ key, who, kind, role, where }) => (
            <tr key={key}>
              <th scope="row">{who}</th>
              <td>{kind}</td>
              <td>{role}</td>
              <td>{where}</td>
            </tr>
          ))}
        </Rows>
      </section>
      <Audit />
    </>
  );
}

function Invited({ account, bindings }: { account: KubeObject; bindings: readonly Binding[] }) {
  const client = useClient();
  const { name, namespace = "", creationTimestamp } = account.metadata;
  const own = bindings.filter(({ subjects = [] }) =>
    subjects.some((each) => each.kind === "ServiceAccount" && each.name === name && each.namespace === namespace),
  );
  /** The account first: without it its tokens are good for nothing, whatever becomes of the rest. */
  const revoke = async () => {
    await client.json(`${accountsIn(namespace)}/${partOf(name)}`, { method: "DELETE" });
    for (const { metadata } of own)
      if (metadata.labels?.[INVITED] === "true")
        await client.json(`${bindingsIn(metadata.namespace ?? "")}/${partOf(metadata.name)}`, { method: "DELETE" });
  };
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{namespace}</td>
      <td>{own.map((binding) => `${binding.roleRef.name} in ${whereOf(binding)}`).join(", ") || "none"}</td>
      <td>
        <Age of={creationTimestamp} />
      </td>
      <td>
        <Action label="Revoke" question={`Shall ${name} be refused from now on?`} run={revoke} />
      </td>
    </tr>
  );
}

/** Makes the account, what it may, and a token for it, which is shown once and kept nowhere. */
async function invite(client: Client, name: string, role: string, where: string, home: string, seconds: number) {
  const { account, binding } = invitation(name, role, where, home);
  await client.json(accountsIn(home), { method: "POST", body: account });
  await client.json(bindingsIn(where), { method: "POST", body: binding });
  const path = `${accountsIn(home)}/${partOf(name)}/token`;
  const request = await client.json<{ status: { token: string } }>(path, {
    method: "POST",
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: seconds } },
  });
  return request.status.token;
}

function Invite() {
  const client = useClient();
  const [name, setName] = useState("");
  const [role, setRole] = useState<string>("view");
  const [isGlobal, setGlobal] = useState(false);
  const [days, setDays] = useState(30);
  const [token, setToken] = useState("");
  const home = chosenNamespace.value || "default";
  const run = async () => {
    setToken("");
    if (!(days > 0)) throw new Error("Say for how many days.");
    setToken(await invite(client, name.trim(), role, isGlobal ? "" : home, home, Math.round(days * 24 * HOUR_S)));
    setName("");
  };
  return (
    <section aria-labelledby="invite">
      <h2 id="invite">Invite somebody</h2>
      <div class="actions">
        <label class="inline">
          Name
          <input
            spellcheck={false}
            autocapitalize="none"
            value={name}
            onInput={({ currentTarget }) => setName(currentTarget.value)}
          />
        </label>
        <label class="inline">
          Role
          <select value={role} onChange={({ currentTarget }) => setRole(currentTarget.value)}>
            {ROLES.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label class="inline">
          <input
            type="checkbox"
            checked={isGlobal}
            onChange={({ currentTarget }) => setGlobal(currentTarget.checked)}
          />
          in all namespaces
        </label>
        <label class="inline">
          Days
          <input
            type="number"
            min="1"
            value={days}
            onInput={({ currentTarget }) => setDays(currentTarget.valueAsNumber)}
          />
        </label>
        <Action label="Invite" run={run} />
      </div>
      <p class="hint">{`As a ServiceAccount in ${home}${isGlobal ? "" : ", with its role there alone"}.`}</p>
      {token && (
        <label>
          Token: it is shown this once
          <textarea
            class="yaml"
            readOnly
            rows={5}
            value={token}
            onFocus={({ currentTarget }) => currentTarget.select()}
          />
        </label>
      )}
    </section>
  );
}
