/**
 * Who uses the page. The token is in the tab's own storage, or, where the user wants to stay, in the browser's: no cookie,
 * so that nothing is sent along by itself with what another page asks for.
 */
import { signal } from "@preact/signals";
import { Client, StatusError } from "../api/client.ts";
import { exchange, type Renewal } from "../api/issuers.ts";
import { unsubscribe } from "../api/push.ts";
import { clock, every, visible } from "../effects.ts";
import { KeptLogin } from "./kept-login.ts";

/** What lies before `/ui/` in the page's address: one cluster of those that a deployment has. */
export const BASE = location.pathname.replace(/\/ui\/[^/]*$/, "");
const KEY = `skerry:${BASE}`;

const login = new KeptLogin({
  key: KEY,
  tab: sessionStorage,
  browser: localStorage,
  now: clock,
  alone: (act) => navigator.locks.request(`${KEY}:renewal`, act),
  exchange: ({ issuer, refreshToken }) => exchange(BASE, { issuer, refreshToken }),
});

export type Session = {
  client: Client;
  user: string;
  groups: readonly string[];
  /** Whether they may list pods of all namespaces at once. */
  seesAll: boolean;
};

/** Of which namespace lists are shown; "" is all of them. */
export const namespace = signal("");
/** Another user of this browser may see other ones. */
const namespaceKey = (user: string) => `${KEY}:namespace:${user}`;

/** It is remembered until they log out. */
export function chooseNamespace(name: string): void {
  if (session.value) localStorage.setItem(namespaceKey(session.value.user), name);
  namespace.value = name;
}

export const session = signal<Session | undefined>(undefined);
/** Why there is none, where there was one. */
export const farewell = signal("");

type Review = { status: { userInfo: { username?: string; groups?: string[] } } };

/** Throws what the API says of the token. */
export async function logIn(token: string, stay: boolean, renewal?: Renewal): Promise<void> {
  const client = await enter(token);
  login.keep(token, stay, renewal);
  if (renewal) client.renewal = login;
}

const LOOK_MS = 20_000;

/** A terminal is opened with the token that is there. */
every(LOOK_MS, () => {
  if (visible.value) session.value?.client.ready().catch(() => undefined); // the login form tells why
});

async function enter(token: string, renewal?: Client["renewal"]): Promise<Client> {
  const client = new Client(BASE, token, (last, why = "The cluster no longer knows your token. Log in again.") => {
    if (session.value?.client !== client) return;
    leave(last);
    farewell.value = why;
  });
  client.renewal = renewal;
  const { userInfo } = (
    await client.json<Review>("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      method: "POST",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
    })
  ).status;
  const { username: user = "", groups = [] } = userInfo;
  const seesAll = await mayListAllPods(client);
  farewell.value = "";
  namespace.value = localStorage.getItem(namespaceKey(user)) ?? (seesAll ? "" : homeOf(user));
  session.value = { client, user, groups, seesAll };
  return client;
}

/** Who may see but one namespace is asked for it at once, in place of lists that are refused. */
async function mayListAllPods(client: Client): Promise<boolean> {
  const review = await client.json<{ status: { allowed: boolean } }>(
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    {
      method: "POST",
      body: {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: { verb: "list", resource: "pods" } },
      },
    },
  );
  return review.status.allowed;
}

/** A ServiceAccount's own namespace; of others nothing is known. */
const homeOf = (user: string) => /^system:serviceaccount:([^:]+):/.exec(user)?.[1] ?? "default";

/** By who is logged in. What the cluster pushes to this browser was for them. */
export function logOut(): void {
  const client = session.value?.client;
  if (client) void unsubscribe(client).catch(() => undefined); // there may be no subscription, or no way to the cluster
  if (session.value) localStorage.removeItem(namespaceKey(session.value.user));
  leave();
}

/**
 * Another tab's login is left as it is where only one `token` is no longer of use. Who has to log in again is told of alerts
 * meanwhile.
 */
function leave(token?: string): void {
  login.forget(token);
  session.value = undefined;
}

/** Whether a token is there that nobody is logged in with: the cluster may not have answered. */
export const isKept = (): boolean => login.token() !== null;

/** Goes on with the token of the tab before, where there is one, which is forgotten if the cluster no longer knows it. */
export async function resume(): Promise<void> {
  const token = login.token();
  if (!token) return;
  await enter(token, login.isRenewed() ? login : undefined).catch((why: unknown) => {
    if (why instanceof StatusError && why.code === 401) leave(token);
    throw why;
  });
}
