/** What the API says of one kind's fields, taken from the document of its group and version. */
import type { Client } from "../api/client.ts";
import { partOf } from "../api/discovery.ts";
import type { KindSchema, Schema } from "./schema.ts";

type OpenApi = { components?: { schemas?: Record<string, Schema> } };

const documents = new WeakMap<object, Map<string, Promise<OpenApi>>>();

/** Undefined where nothing is said of the kind; throws where the API does not answer. */
export async function kindSchema(
  client: Pick<Client, "json">,
  { group, version }: { group: string; version: string },
  kind: string,
): Promise<KindSchema | undefined> {
  const path = `/openapi/v3/${group === "" ? `api/${partOf(version)}` : `apis/${partOf(group)}/${partOf(version)}`}`;
  const known = documents.get(client) ?? new Map<string, Promise<OpenApi>>();
  documents.set(client, known);
  const asked = known.get(path) ?? client.json<OpenApi>(path);
  known.set(path, asked);
  asked.catch(() => known.delete(path));
  const all = (await asked).components?.schemas ?? {};
  const root = Object.values(all).find((each) =>
    each["x-kubernetes-group-version-kind"]?.some(
      (is) => is.group === group && is.version === version && is.kind === kind,
    ),
  );
  return root && { root, all };
}
