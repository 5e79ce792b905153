/**
 * Logging in at an issuer: the browser goes there and comes back with a code, which only who holds the verifier can
 * exchange, and the verifier is in this tab alone. https://www.rfc-editor.org/rfc/rfc7636
 */
import { toBase64Url } from "../api/base64url.ts";
import { claimsOf, endpointOf, exchange } from "../api/issuers.ts";
import { clock } from "../effects.ts";
import { restoreDrafts, storeDrafts } from "./drafts.ts";
import { BASE, logIn } from "./session.ts";

const KEY = `skerry:${BASE}:login`;
const CALLBACK = `${location.origin}${BASE}/ui/`;

/** `place` is where in the page the user was. */
type Pending = { issuer: string; state: string; nonce: string; verifier: string; stay: boolean; place: string };

const base64Url = (bytes: Uint8Array) => toBase64Url(String.fromCharCode(...bytes));
const secret = () => base64Url(crypto.getRandomValues(new Uint8Array(32)));

/** The page is left when it resolves. */
export async function logInAt(issuer: string, stay: boolean): Promise<void> {
  const { authorizationEndpoint, clientId, scope } = await endpointOf(BASE, issuer);
  const pending: Pending = { issuer, state: secret(), nonce: secret(), verifier: secret(), stay, place: location.hash };
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pending.verifier));
  const url = new URL(authorizationEndpoint);
  const asked = {
    response_type: "code",
    client_id: clientId,
    redirect_uri: CALLBACK,
    scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: base64Url(new Uint8Array(digest)),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  sessionStorage.setItem(KEY, JSON.stringify(pending));
  storeDrafts();
  location.assign(url);
}

/** Whether the browser came back from an issuer, and somebody is logged in now. Throws what kept them from it. */
export async function comeBack(): Promise<boolean> {
  restoreDrafts();
  const kept = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  const answer = new URLSearchParams(location.search);
  if (!answer.has("state")) return false;
  const pending = kept === null ? undefined : (JSON.parse(kept) as Pending);
  history.replaceState(null, "", location.pathname); // what came in the address is good for nothing else
  if (!pending || answer.get("state") !== pending.state)
    throw new Error("That login was not begun in this tab. Log in again.");
  const { issuer, verifier, nonce, stay, place } = pending;
  if (place) location.replace(place);
  const code = answer.get("code");
  if (code === null || (answer.get("iss") ?? issuer) !== issuer)
    throw new Error(`${issuer}: ${answer.get("error_description") ?? answer.get("error") ?? "it gave no code"}`);
  const { idToken, refreshToken, at } = await exchange(BASE, { issuer, code, verifier, redirectUri: CALLBACK });
  if (claimsOf(idToken).nonce !== nonce) throw new Error(`${issuer}: the token is of another login. Log in again.`);
  await logIn(idToken, stay, refreshToken ? { issuer, refreshToken, skew: at - clock() } : undefined);
  return true;
}
