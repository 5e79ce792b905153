import { useState } from "preact/hooks";
import { type Forward, forwardLine, forwardTo } from "../api/forwards.ts";
import type { Pod } from "../api/objects.ts";
import { type Shown, shownPorts } from "../facts/ports.ts";
import { useClient } from "../state/cluster.ts";
import { Action, Copied, Rows } from "./parts.tsx";

/** What the pod's ports serve, in a tab of its own. */
export function Forwards({ pod }: { pod: Pod }) {
  const client = useClient();
  const [line, setLine] = useState("");
  const ports = shownPorts(pod);
  if (ports.length === 0) return null;
  const open = async (shown: Shown) => {
    const forward = await forwardTo(client, pod, shown);
    setLine(forward ? "" : forwardLine(pod, shown));
    if (forward) openTab(forward);
  };
  return (
    <section aria-labelledby="ports">
      <h2 id="ports">Ports</h2>
      <Rows heads={["Port", "Container", "In a browser"]}>
        {ports.map((shown) => (
          <tr key={`${shown.container}/${shown.port}`}>
            <th scope="row">
              {shown.port} {shown.name}
            </th>
            <td>{shown.container}</td>
            <td>
              <Action label="Open" run={() => open(shown)} />
            </td>
          </tr>
        ))}
      </Rows>
      {line && (
        <>
          <p class="hint">This deployment has no domain for what pods show. With kubectl it takes this line:</p>
          <Copied label="Type this on a machine with kubectl" rows={2} text={line} />
        </>
      )}
    </section>
  );
}

/** By a form, so that the ticket is in no address. */
function openTab({ host, ticket }: Forward): void {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: `https://${host}/skerry/open`, target: "_blank", rel: "noopener" });
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name: "ticket", value: ticket });
  form.append(field);
  document.body.append(form);
  form.submit();
  form.remove();
}
