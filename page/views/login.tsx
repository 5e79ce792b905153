import { useEffect, useState } from "preact/hooks";
import { errorText } from "../../worker/lib/error-text.ts";
import { type Issuer, issuersOf } from "../api/issuers.ts";
import { logInAt } from "../state/elsewhere.ts";
import { BASE, farewell, isKept, logIn, resume } from "../state/session.ts";

export function Login() {
  const [token, setToken] = useState("");
  const [stay, setStay] = useState(false);
  const [error, setError] = useState("");
  const [issuers, setIssuers] = useState<readonly Issuer[]>([]);
  useEffect(() => {
    void issuersOf(BASE).then(setIssuers);
  }, []);
  const submit = async (event: Event) => {
    event.preventDefault();
    setError("");
    await logIn(token.trim(), stay).catch((why: unknown) => setError(errorText(why)));
  };
  return (
    <main class="login">
      <form onSubmit={submit}>
        <h1>Skerry</h1>
        {farewell.value && <p class="notice">{farewell.value}</p>}
        <label>
          Token
          <input
            type="password"
            autocomplete="current-password"
            required
            value={token}
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
          />
        </label>
        <label class="inline">
          <input type="checkbox" checked={stay} onChange={({ currentTarget }) => setStay(currentTarget.checked)} />
          Stay logged in on this device
        </label>
        <button type="submit">Log in</button>
        {issuers.map(({ url, name }) => (
          <button
            key={url}
            type="button"
            onClick={() => logInAt(url, stay).catch((why: unknown) => setError(errorText(why)))}
          >
            {`Log in at ${name}`}
          </button>
        ))}
        {isKept() && (
          <button type="button" onClick={() => resume().catch((why: unknown) => setError(errorText(why)))}>
            Try again with the token of before
          </button>
        )}
        {error && (
          <p class="bad" role="alert">
            {error}
          </p>
        )}
        <p class="hint">
          <code>skerry page</code> prints the administrator's; <code>kubectl create token NAME</code> makes one for a
          ServiceAccount.
        </p>
      </form>
    </main>
  );
}
