import { expect, test } from "vitest";
import { type Ask, StatusError } from "./client.ts";
import { boundTo, INVITED, invite, revoke } from "./invitations.ts";
import type { Binding, KubeObject } from "./objects.ts";

const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const ACCOUNTS = "/api/v1/namespaces/shop/serviceaccounts";
const guest = { name: "guest", role: "edit", where: "shop", home: "shop", seconds: 3600 };

type Posted = KubeObject & { metadata: { generateName?: string } };

/** An API that gives names and keeps what it is sent; it refuses what `refused` says. */
function api(refused: (request: string) => number | undefined = () => undefined) {
  const asked: string[] = [];
  const objects = new Map<string, KubeObject>();
  const json = async <T>(path: string, { method = "GET", body }: Ask = {}): Promise<T> => {
    const request = `${method} ${path}`;
    asked.push(request);
    const code = refused(request);
    if (code !== undefined) throw new StatusError(code, "", `refused: ${request}`);
    if (path.endsWith("/token")) return { status: { token: "a token" } } as T;
    if (method === "DELETE") return objects.delete(path) as T;
    const sent = body as Posted;
    const name = sent.metadata.name ?? `${sent.metadata.generateName}${asked.length}`;
    const namespace = /namespaces\/([^/]+)/.exec(path)?.[1];
    const object = { ...sent, metadata: { ...sent.metadata, name, ...(namespace && { namespace }) } };
    objects.set(`${path}/${name}`, object);
    return object as T;
  };
  return { json, asked, objects };
}

test("who is invited again by the name of somebody revoked is somebody else: nothing that is left is bound to them", async () => {
  const server = api();
  const first = await invite(server, guest);
  const second = await invite(server, { ...guest, role: "view", where: "" });
  expect(first.token).toBe("a token");
  expect(second.name).not.toBe(first.name);
  const all = [...server.objects.values()];
  const account = all.find(({ metadata }) => metadata.name === second.name) as KubeObject;
  const bindings = all.filter((object): object is Binding => "roleRef" in object);
  expect(boundTo(account, bindings).map(({ roleRef }) => roleRef.name)).toEqual(["view"]);
  expect(all.map(({ metadata }) => metadata.labels?.[INVITED])).toEqual(Array(4).fill("true"));
});

test.each([`POST ${RBAC}`, "/token"])("of an invitation that fails at %s nothing stays", async (at) => {
  const server = api((request) => (request.includes(at) ? 403 : undefined));
  await expect(invite(server, guest)).rejects.toThrow(at);
  expect([...server.objects.keys()]).toEqual([]);
});

test("a revocation takes what the invitation made, the account last and also where a binding stays, which is told", async () => {
  const labels = { [INVITED]: "true" };
  const subjects = [{ kind: "ServiceAccount", name: "guest", namespace: "shop" }];
  const bound = (name: string, more: object) => ({ metadata: { name, ...more }, subjects, roleRef: {} }) as Binding;
  const bindings = [
    bound("here", { namespace: "shop", labels }),
    bound("gone", { namespace: "shop", labels }),
    bound("all", { labels }),
    bound("by-hand", { namespace: "shop" }),
    { ...bound("another's", { namespace: "shop", labels }), subjects: [{ kind: "User", name: "guest" }] },
  ];
  const server = api((request) => (request.endsWith("/all") ? 403 : request.endsWith("/gone") ? 404 : undefined));
  const account = { metadata: { name: "guest", namespace: "shop" } } as KubeObject;
  await expect(revoke(server, account, bindings)).rejects.toThrow("/all");
  expect(server.asked).toEqual([
    `DELETE ${RBAC}/namespaces/shop/rolebindings/here`,
    `DELETE ${RBAC}/namespaces/shop/rolebindings/gone`,
    `DELETE ${RBAC}/clusterrolebindings/all`,
    `DELETE ${ACCOUNTS}/guest`,
  ]);
});
