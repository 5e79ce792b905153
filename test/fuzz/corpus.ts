/** One valid object of every kind, and where it is created. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { Kind } from "../../worker/kinds/kind.ts";
import { builtinKinds } from "../../worker/kinds/registry.ts";

export type KubeJson = {
  apiVersion: string;
  kind: string;
  metadata?: { name?: string; uid?: string; managedFields?: unknown };
  [field: string]: unknown;
};
export type Sample = { kind: Kind; object: KubeJson; collection: string };

/** jane's; its private key is gone. */
const REQUEST = Buffer.from(
  `-----BEGIN CERTIFICATE REQUEST-----
MIHJMHECAQAwDzENMAsGA1UEAwwEamFuZTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABP2qFqedQLGZBPaZrYJDSpoLJvN7hTk9pc2zrby7jp285yk7FKcjjP4nDj5k
twifyVgC0jhS3p1tcGORc4Ru192gADAKBggqhkjOPQQDAgNIADBFAiEA4fVBUznE
YmnQQWSklP7HvEWJV0ysbE91D2OMtzIo9iwCIHE5kh9SADZwjMCZg/CpgtDawHAk
qhv3mkp0nb5urHyJ
-----END CERTIFICATE REQUEST-----
`,
).toString("base64");

/** Objects of namespaced kinds go into `namespace`. Kinds that have no object of their own (Binding, ComponentStatus) are left out. */
export function corpus(namespace: string): Sample[] {
  const kinds = builtinKinds();
  const text = readFileSync(join(import.meta.dirname, "objects.yaml"), "utf8")
    .replaceAll("NAMESPACE", namespace)
    .replaceAll("REQUEST", REQUEST);
  return parseAllDocuments(text).map((document) => {
    const object = document.toJS() as KubeJson;
    const kind = kinds.byKind(object.apiVersion, object.kind);
    if (!kind) throw new Error(`no kind ${object.apiVersion} ${object.kind}`);
    const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.apiVersion}`;
    return { kind, object, collection: `${root}${kind.namespaced ? `/namespaces/${namespace}` : ""}/${kind.resource}` };
  });
}
