import type { Kind } from "../../kinds/kind.ts";
import type { KubeObject } from "../../lib/object.ts";
import {
  type FieldRequirement,
  matchesFields,
  parseFieldSelector,
  parseLabelSelector,
} from "../../lib/selector-parser.ts";
import { matchesRequirements, type Requirement, SelectorError } from "../../lib/selectors.ts";
import { badRequest } from "../../lib/status.ts";
import { fromStored } from "./conversions.ts";
import { labelsIn } from "./labels.ts";
import { isBuiltIn } from "./stored.ts";

/** What a list or watch is narrowed to. */
export type Selection = { labels: readonly Requirement[]; fields: readonly FieldRequirement[] };

type FieldReader = (object: KubeObject) => string;

const common: Readonly<Record<string, FieldReader>> = {
  "metadata.name": (object) => object.metadata?.name ?? "",
  "metadata.namespace": (object) => object.metadata?.namespace ?? "",
};

/** Kinds that select by no namespace, having none. */
const NO_NAMESPACE = new Set([
  "certificatesigningrequests.certificates.k8s.io",
  "namespaces",
  "nodes",
  "resourceslices.resource.k8s.io",
]);

function readerOf(kind: Kind, field: string): FieldReader | undefined {
  if (field === "metadata.namespace" && NO_NAMESPACE.has(kind.groupResource)) return undefined;
  return [kind.fieldSelectors, common].find((readers) => Object.hasOwn(readers, field))?.[field];
}

/** Throws 400 for what cannot be parsed and for fields that the kind does not select by. */
export function parseSelection(kind: Kind, labelSelector: string, fieldSelector: string): Selection {
  try {
    const fields = parseFieldSelector(fieldSelector);
    for (const { field } of fields) if (!readerOf(kind, field)) throw badRequest(unknownField(kind, field));
    return { labels: parseLabelSelector(labelSelector), fields };
  } catch (error) {
    throw error instanceof SelectorError ? badRequest(error.message) : error;
  }
}

/** kube-apiserver says it in one way or another, by whether the kind has field selectors of its own. */
function unknownField(kind: Kind, field: string): string {
  if (isBuiltIn(kind) && Object.keys(kind.fieldSelectors).every((name) => name in common))
    return `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
  const subject =
    kind.groupResource === "resourceslices.resource.k8s.io" ? ` for ${kind.apiVersion}, Kind=${kind.kind}` : "";
  return kind.groupResource === "jobs.batch"
    ? `field label ${JSON.stringify(field)} not supported for Job`
    : `field label not supported${subject}: ${field}`;
}

export const selectsAll = ({ labels, fields }: Selection): boolean => labels.length === 0 && fields.length === 0;

const selects = (kind: Kind, { labels, fields }: Selection, object: KubeObject): boolean =>
  matchesRequirements(labels, object.metadata?.labels) &&
  matchesFields(fields, (field) => readerOf(kind, field)?.(object) ?? "");

/** As `selects`, of stored text; parses it only when a field is asked for. */
export function selectsStored(kind: Kind, selection: Selection, json: string, parse: () => KubeObject): boolean {
  const labels = selection.fields.length === 0 ? labelsIn(json) : undefined;
  return labels ? matchesRequirements(selection.labels, labels) : selects(kind, selection, fromStored(kind, parse()));
}

/** The only value of a field that fits, where the selector says so. */
export const pinned = ({ fields }: Selection, name: string): string | undefined =>
  fields.find(({ field, operator }) => field === name && operator === "=")?.value;
