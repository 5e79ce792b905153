/** How clients read: page by page, and as informers. */
import type { KubeObject } from "../../../worker/lib/object.ts";
import type { Client, Reply, Sent, Watched } from "./client.ts";
import type { Deed } from "./script.ts";

export type List = { items: KubeObject[]; metadata: { resourceVersion: string; continue?: string } };
export type Reader = {
  client: Client;
  /** With some patience. */
  ask(sent: Sent): Promise<Reply | undefined>;
  sleep(ms: number): Promise<void>;
  now(): number;
};

type Do<Name extends Deed["do"]> = Extract<Deed, { do: Name }>;

export async function pages({ ask, sleep }: Reader, { path, limit, between }: Do<"pages">): Promise<void> {
  for (let token: string | undefined = ""; token !== undefined; ) {
    const query: string = `limit=${limit}${token && `&continue=${encodeURIComponent(token)}`}`;
    const reply: Reply | undefined = await ask({ method: "GET", path: `${path}?${query}` });
    if (reply?.code !== 200) return;
    token = (reply.body as List).metadata.continue;
    if (between > 0) await sleep(between);
  }
}

/** As an informer: lists, watches, resumes by revision, and lists again where that is too old. */
export async function watch({ client, ask, sleep, now }: Reader, deed: Do<"watch">): Promise<void> {
  const { path, resource, namespace, selector, fields, seconds, away = 1_000 } = deed;
  const selectors = { ...(selector && { labelSelector: selector }), ...(fields && { fieldSelector: fields }) };
  const watched: Watched = { resource, path, namespace, ...selectors };
  const until = now() + seconds * 1000;
  const query = `?${new URLSearchParams(selectors)}`;
  for (let revision: string | undefined; now() < until; ) {
    if (revision === undefined) {
      const reply: Reply | undefined = await ask({ method: "GET", path: `${path}${query}` });
      if (reply?.code === 200) revision = (reply.body as List).metadata.resourceVersion;
    }
    if (revision !== undefined) {
      const left = Math.ceil((until - now()) / 1000);
      if (left <= 0) return;
      const end = await client.watch(watched, revision, left);
      revision = end.expired ? undefined : end.revision;
    }
    await sleep(away);
  }
}
