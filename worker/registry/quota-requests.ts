/**
 * `/skerry/registry/quotas`: GET tells them and what is used, `{items: [{prefix, bytes, used}]}`, those of all repositories
 * together first, under the prefix "". `PUT ?prefix=&bytes=` sets one, `DELETE ?prefix=` removes it. The Cluster object says
 * who may.
 */
import { GRANT_HEADER } from "../lib/internal-headers.ts";
import { badRequest, methodNotAllowed, notFound } from "../lib/status.ts";
import { repositoryOf } from "./names.ts";
import type { RegistryParts } from "./parts.ts";

export const isQuotas = (path: string): boolean => path === "/skerry/registry/quotas";

export async function openQuotas(request: Request, { cluster, ask }: RegistryParts): Promise<Response> {
  const answer = await cluster.fetch(request);
  if (!answer.headers.has(GRANT_HEADER)) return answer;
  const query = new URL(request.url).searchParams;
  const prefix = prefixOf(query.get("prefix") ?? "");
  switch (request.method) {
    case "GET":
      break;
    case "PUT":
      await ask("setQuota", prefix, bytesOf(query.get("bytes")));
      break;
    case "DELETE":
      if (!(await ask("removeQuota", prefix)))
        throw notFound({ group: "", resource: "quotas", name: prefix || "the registry" });
      break;
    default:
      throw methodNotAllowed();
  }
  return Response.json({ items: await ask("usages") });
}

function prefixOf(text: string): string {
  if (text === "") return text;
  try {
    return repositoryOf(text);
  } catch {
    throw badRequest(`${JSON.stringify(text)} is no prefix of repositories`);
  }
}

function bytesOf(text: string | null): number {
  const bytes = Number(text);
  if (text !== null && /^\d{1,15}$/.test(text)) return bytes;
  throw badRequest(`${JSON.stringify(text ?? "")} is no number of bytes`);
}
