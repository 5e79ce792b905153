import { useEffect, useState } from "preact/hooks";
import type { KubeObject } from "../api/objects.ts";
import { useClient } from "../state/cluster.ts";
import { chooseNamespace, namespace, session } from "../state/session.ts";

/** Of which namespace lists are. Who may not list namespaces types its name. */
export function NamespaceChooser() {
  const client = useClient();
  const [names, setNames] = useState<readonly string[] | undefined>();
  const load = () =>
    client.json<{ items: KubeObject[] }>("/api/v1/namespaces").then(
      ({ items }) => setNames(items.map(({ metadata }) => metadata.name)),
      () => {}, // those of before stay
    );
  useEffect(() => void load(), [client]);
  const chosen = namespace.value;
  if (!names)
    return (
      <label class="inline">
        Namespace
        <input
          class="namespace"
          spellcheck={false}
          autocapitalize="none"
          value={chosen}
          placeholder={session.value?.seesAll ? "all" : ""}
          onChange={({ currentTarget }) => chooseNamespace(currentTarget.value.trim())}
        />
      </label>
    );
  const known = chosen === "" || names.includes(chosen) ? names : [chosen, ...names];
  return (
    <label class="inline">
      Namespace
      <select
        class="namespace"
        value={chosen}
        onFocus={load}
        onChange={({ currentTarget }) => chooseNamespace(currentTarget.value)}
      >
        <option value="">all</option>
        {known.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}
