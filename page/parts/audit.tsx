import { useState } from "preact/hooks";
import { errorText } from "../../worker/lib/error-text.ts";
import type { AuditEvent } from "../api/objects.ts";
import { useClient } from "../state/cluster.ts";
import { Age, Rows } from "./parts.tsx";

const LIMIT = 100;

/** What was recorded last, when it is asked for: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/ */
export function Audit() {
  const client = useClient();
  const [entries, setEntries] = useState<readonly AuditEvent[] | undefined>();
  const [user, setUser] = useState("");
  const [error, setError] = useState("");
  const load = async () => {
    setError("");
    const query = new URLSearchParams({ limit: String(LIMIT), ...(user.trim() ? { user: user.trim() } : {}) });
    await client.json<{ items: AuditEvent[] }>(`/skerry/audit?${query}`).then(
      ({ items }) => setEntries(items.toReversed()),
      (why: unknown) => setError(errorText(why)),
    );
  };
  return (
    <section aria-labelledby="audit">
      <h2 id="audit">Who did what</h2>
      <div class="actions">
        <label class="inline">
          User
          <input spellcheck={false} value={user} onInput={({ currentTarget }) => setUser(currentTarget.value)} />
        </label>
        <button type="button" onClick={load}>
          Show audit log
        </button>
      </div>
      {error && (
        <p class="bad" role="alert">
          {error}
        </p>
      )}
      {entries?.length === 0 && <p class="hint">Nothing was recorded.</p>}
      {entries && entries.length > 0 && (
        <Rows heads={["Ago", "User", "Verb", "Path", "Code"]}>
          {entries.map(({ auditID, stageTimestamp, user: who, impersonatedUser, verb, requestURI, responseStatus }) => (
            <tr key={auditID}>
              <td>
                <Age of={stageTimestamp} />
              </td>
              <td>{impersonatedUser ? `${who.username} as ${impersonatedUser.username}` : who.username}</td>
              <td>{verb}</td>
              <td class="wrap">{requestURI}</td>
              <td>{responseStatus?.code}</td>
            </tr>
          ))}
        </Rows>
      )}
    </section>
  );
}
