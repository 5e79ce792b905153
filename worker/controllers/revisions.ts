import { ControllerRevision } from "../kinds/apps/controller-revision.ts";
import type { CoreV1PodTemplateSpec } from "../kinds/generated/types.ts";
import type { Kind } from "../kinds/kind.ts";
import { same } from "../kinds/paths.ts";
import type { KubeObject } from "../lib/object.ts";
import type { Intent, View } from "./controller.ts";
import { canonical, hashOf } from "./hash.ts";
import { controllerOf, controllerRef } from "./owners.ts";
import { removal } from "./removal.ts";

export const REVISION_HASH = "controller-revision-hash";

type Template = CoreV1PodTemplateSpec;
export type Revision = Readonly<ControllerRevision>;
type Owner = KubeObject & { spec?: { template?: Template; revisionHistoryLimit?: number } };

/** A revision is a patch that brings its template back: `kubectl rollout undo` sends it as it is. */
const patchOf = (template: Template | undefined) => ({ spec: { template: { ...template, $patch: "replace" } } });

export function templateOf(revision: Revision): Template {
  const { $patch: _, ...template } = (revision.data as ReturnType<typeof patchOf>).spec.template;
  return template;
}

/** Revisions of an owner, the oldest first. */
export function revisionsOf(view: View, owner: Readonly<KubeObject>): Revision[] {
  const uid = owner.metadata?.uid ?? "";
  return view
    .owned(ControllerRevision, uid)
    .filter((revision) => controllerOf(revision)?.uid === uid)
    .toSorted((a, b) => a.revision - b.revision);
}

/**
 * The revision of the owner's template. When it is not written yet, or not the newest, `intents` make it so, and the
 * key runs again by their writes; `collision` says that its name is another's.
 */
export function currentRevision(
  view: View,
  kind: Kind,
  owner: Readonly<Owner>,
  revisions: readonly Revision[],
  collisions: number,
): { revision?: Revision; intents: Intent[]; collision: boolean } {
  const data = patchOf(owner.spec?.template);
  const newest = revisions.at(-1);
  const next = (newest?.revision ?? 0) + 1;
  const known = revisions.findLast((revision) => same(revision.data, data));
  if (known === newest && known) return { revision: known, intents: [], collision: false };
  if (known) {
    const object = { ...known, revision: next } as ControllerRevision;
    return { revision: known, intents: [{ do: "update", kind: ControllerRevision, object }], collision: false };
  }
  const hash = hashOf(data, collisions);
  const { namespace = "", name } = owner.metadata ?? {};
  const object: ControllerRevision = {
    apiVersion: ControllerRevision.apiVersion,
    kind: ControllerRevision.kind,
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...owner.spec?.template?.metadata?.labels, [REVISION_HASH]: hash },
      ownerReferences: [controllerRef(kind, owner)],
    },
    // Clients compare its bytes with what they make of the template.
    data: JSON.parse(canonical(data)) as ControllerRevision["data"],
    revision: next,
  };
  if (view.get(ControllerRevision, namespace, `${name}-${hash}`)) return { intents: [], collision: true };
  return { intents: [{ do: "create", kind: ControllerRevision, object }], collision: false };
}

/** Removes the oldest revisions that no pod is of, beyond `revisionHistoryLimit`. */
export function forgetRevisions(
  owner: Readonly<Owner>,
  revisions: readonly Revision[],
  live: ReadonlySet<string>,
): Intent[] {
  const unused = revisions.filter(({ metadata }) => !live.has(metadata.name ?? ""));
  const excess = Math.max(0, unused.length - (owner.spec?.revisionHistoryLimit ?? 10));
  return unused.slice(0, excess).map((revision) => removal(ControllerRevision, revision));
}
