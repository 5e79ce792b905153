import { useState } from "preact/hooks";
import { errorText } from "../../worker/lib/error-text.ts";
import { boundTo, INVITED, invite, revoke } from "../api/invitations.ts";
import type { Binding, KubeObject } from "../api/objects.ts";
import { bindingsOf, whereOf } from "../facts/people.ts";
import { Audit } from "../parts/audit.tsx";
import { Action, Age, Copied, FreshnessLine, NumberField, Rows } from "../parts/parts.tsx";
import { CLUSTER_BINDINGS, useClient, useFreshness, useObjects, usePaths } from "../state/cluster.ts";
import { namespace as chosenNamespace } from "../state/session.ts";

const ROLES = ["view", "edit", "admin", "cluster-admin"] as const;
const HOUR_S = 3600;

export function People() {
  const paths = usePaths();
  const local = useObjects<Binding>(paths.roleBindings);
  const global = useObjects<Binding>(CLUSTER_BINDINGS);
  const accounts = useObjects<KubeObject>(paths.accounts);
  const { freshness } = useFreshness([paths.roleBindings, CLUSTER_BINDINGS, paths.accounts]);
  const invited = accounts.filter(({ metadata }) => metadata.labels?.[INVITED] === "true");
  const bindings = [...global, ...local];
  const client = useClient();
  const [failed, setFailed] = useState("");
  /** Its row goes with the account, so that it cannot tell what became of the rest. */
  const end = async (account: KubeObject) => {
    setFailed("");
    await revoke(client, account, bindings).catch((why: unknown) =>
      setFailed(`${account.metadata.name}: ${errorText(why)}`),
    );
  };
  return (
    <>
      <h1>People</h1>
      <FreshnessLine of={freshness} />
      <Invite />
      <section aria-labelledby="invited">
        <h2 id="invited">Invited here</h2>
        {failed && (
          <p class="notice bad" role="alert">
            {failed}
          </p>
        )}
        {invited.length === 0 && <p class="hint">Nobody.</p>}
        {invited.length > 0 && (
          <Rows heads={["Name", "Namespace", "Roles", "Since", "Revoke"]}>
            {invited.map((account) => (
              <Invited
                key={account.metadata.uid}
                account={account}
                bound={boundTo(account, bindings)}
                revoke={() => end(account)}
              />
            ))}
          </Rows>
        )}
      </section>
      <section aria-labelledby="bindings">
        <h2 id="bindings">Who may what</h2>
        <Rows heads={["Who", "Kind", "Role", "Where"]}>
          {bindingsOf(bindings).map(({ key, who, kind, role, where }) => (
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

type InvitedProps = { account: KubeObject; bound: readonly Binding[]; revoke(): Promise<void> };

function Invited({ account: { metadata }, bound, revoke: run }: InvitedProps) {
  const { name, namespace, creationTimestamp } = metadata;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{namespace}</td>
      <td>{bound.map((binding) => `${binding.roleRef.name} in ${whereOf(binding)}`).join(", ") || "none"}</td>
      <td>
        <Age of={creationTimestamp} />
      </td>
      <td>
        <Action label="Revoke" question={`Shall ${name} be refused from now on?`} run={run} />
      </td>
    </tr>
  );
}

function Invite() {
  const client = useClient();
  const [name, setName] = useState("");
  const [role, setRole] = useState<string>("view");
  const [isGlobal, setGlobal] = useState(false);
  const [days, setDays] = useState(30);
  const [made, setMade] = useState<{ name: string; token: string }>();
  const home = chosenNamespace.value || "default";
  const run = async () => {
    setMade(undefined);
    if (name.trim() === "") throw new Error("Say a name.");
    if (!(days > 0)) throw new Error("Say for how many days.");
    const seconds = Math.round(days * 24 * HOUR_S);
    setMade(await invite(client, { name: name.trim(), role, where: isGlobal ? "" : home, home, seconds }));
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
        <NumberField label="Days" least={1} value={days} set={setDays} />
        <Action label="Invite" run={run} />
      </div>
      <p class="hint">{`As a ServiceAccount in ${home} whose name has an ending of its own${isGlobal ? "" : ", with its role there alone"}.`}</p>
      {made && <Copied label={`Token of ${made.name}: it is shown this once`} rows={5} text={made.token} />}
    </section>
  );
}
