import { useState } from "preact/hooks";
import { type JoinToken, joinLine, joinTokens, revokeJoinToken } from "../api/join-tokens.ts";
import { useClient } from "../state/cluster.ts";
import { BASE } from "../state/session.ts";
import { Action, Copied, NumberField, Rows } from "./parts.tsx";
import { Qr } from "./qr.tsx";
import type { QrCode } from "./qr-code.ts";

const HOUR_S = 3600;
const ON_THIS_MACHINE = /^(localhost|127\.|\[::1\])/;

/** A line by which a machine joins; asked for only by who wants one. */
export function Join() {
  const client = useClient();
  const [tokens, setTokens] = useState<readonly JoinToken[]>();
  const [hours, setHours] = useState(24);
  const [once, setOnce] = useState(true);
  const [line, setLine] = useState("");
  const [code, setCode] = useState<QrCode>();
  const list = async () => setTokens(await joinTokens(client));
  const draw = async () => setCode((await import("./qr-code.ts")).qrCode(line));
  const make = async () => {
    if (!(hours > 0)) throw new Error("Say for how many hours.");
    setLine(await joinLine(client, location.origin + BASE, Math.round(hours * HOUR_S), once));
    setCode(undefined);
    await list();
  };
  if (!tokens)
    return (
      <div class="actions">
        <Action label="Add a machine" run={list} />
      </div>
    );
  return (
    <section aria-labelledby="join">
      <h3 id="join">Add a machine</h3>
      <div class="actions">
        <NumberField label="Hours" least={1} value={hours} set={setHours} />
        <label class="inline">
          <input type="checkbox" checked={once} onChange={({ currentTarget }) => setOnce(currentTarget.checked)} />
          for one machine only
        </label>
        <Action label="Make a line" run={make} />
      </div>
      {line && (
        <>
          <Copied label="Type this on the machine, as root: its token is shown this once" rows={4} text={line} />
          <div class="actions">
            <Action label="Copy" run={() => navigator.clipboard.writeText(line)} />
            {!code && <Action label="Show a QR code" run={draw} />}
          </div>
          {code && <Qr code={code} label="The line as a QR code" />}
          {ON_THIS_MACHINE.test(location.host) && (
            <p class="hint">
              It names this machine as it names itself: another one reaches it by its address on the network.
            </p>
          )}
        </>
      )}
      {tokens.length > 0 && (
        <Rows heads={["Token", "For", "Expires", "Revoke"]}>
          {tokens.map(({ id, expires, once: isOnce }) => (
            <tr key={id}>
              <th scope="row">{id}</th>
              <td>{isOnce ? "one machine" : "any number of machines"}</td>
              <td>{expires ? new Date(expires).toLocaleString() : "never"}</td>
              <td>
                <Action
                  label="Revoke"
                  question="Shall no machine join by it any more?"
                  run={() => revokeJoinToken(client, id).then(list)}
                />
              </td>
            </tr>
          ))}
        </Rows>
      )}
    </section>
  );
}
