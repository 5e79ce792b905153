/**
 * Custom resources whose versions a webhook converts.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#webhook-conversion
 */
import type { Kind, WebhookConversion } from "../../kinds/kind.ts";
import type { KubeObject } from "../../lib/object.ts";
import { internalError } from "../../lib/status.ts";
import { type Callout, type CalloutAnswer, CalloutsNeeded } from "../callouts/callouts.ts";

const TIMEOUT_MS = 30_000;
/** Converted objects kept for each definition, in characters of what they were converted from; a list is kept whole. */
const KEPT_CHARACTERS = 4 * 1024 * 1024;

type Known = { objects: Map<string, KubeObject | Error>; characters: number };
const caches = new WeakMap<WebhookConversion, Known>();

const knownOf = (conversion: WebhookConversion): Known => {
  const known = caches.get(conversion) ?? { objects: new Map(), characters: 0 };
  caches.set(conversion, known);
  return known;
};

function forget(known: Known, key: string): void {
  if (known.objects.delete(key)) known.characters -= key.length;
}

/** Of objects that are at hand, so that each is written out once. */
const contents = new WeakMap<KubeObject, string>();

/** What the same object is under another version depends neither on its revision nor on the order of its fields. */
function keyOf(object: KubeObject, apiVersion: string): string {
  const content = contents.get(object) ?? contentOf(object);
  contents.set(object, content);
  return `${apiVersion} ${content}`;
}

function contentOf({ metadata, ...object }: KubeObject): string {
  const { resourceVersion: _, managedFields: __, ...kept } = metadata ?? {};
  return JSON.stringify(inOrder({ ...object, metadata: kept }));
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, inOrder(field)]));
}

/**
 * The object under another version. Throws CalloutsNeeded where the webhook has not been asked, and its failure once,
 * for however many objects it was asked.
 */
export function converted<T extends KubeObject>(conversion: WebhookConversion, object: T, apiVersion: string): T {
  const all = knownOf(conversion);
  const known = all.objects.get(keyOf(object, apiVersion));
  if (known instanceof Error) {
    for (const [key, other] of all.objects) if (other === known) forget(all, key);
    throw known;
  }
  if (!known) throw new CalloutsNeeded([question(conversion, [object], apiVersion)]);
  // Nobody but the server itself has a say in metadata, but for labels and annotations.
  const { labels, annotations } = known.metadata ?? {};
  return structuredClone({ ...known, metadata: { ...object.metadata, labels, annotations } }) as T;
}

/** Throws one question about all of the objects that have not been converted yet. */
export function needConverted(kind: Kind, objects: Iterable<KubeObject>): void {
  const { conversion } = kind;
  if (!conversion) return;
  const { objects: known } = knownOf(conversion);
  const others = [...objects].filter(({ apiVersion }) => apiVersion !== kind.apiVersion);
  const missing = others.filter((object) => !known.has(keyOf(object, kind.apiVersion)));
  if (missing.length > 0) throw new CalloutsNeeded([question(conversion, missing, kind.apiVersion, others)]);
}

/** `needed`: what is wanted at once, these objects among it. */
function question(
  conversion: WebhookConversion,
  objects: readonly KubeObject[],
  apiVersion: string,
  needed: readonly KubeObject[] = objects,
): Callout {
  const version = conversion.reviewVersions.includes("v1") ? "v1" : "v1beta1";
  const uid = "00000000-0000-4000-8000-000000000000";
  const request = { uid, desiredAPIVersion: apiVersion, objects };
  const body = JSON.stringify({ kind: "ConversionReview", apiVersion: `apiextensions.k8s.io/${version}`, request });
  return {
    key: `conversion ${body}`,
    client: conversion.client,
    body,
    timeoutMs: TIMEOUT_MS,
    heard(answer) {
      keep(conversion, objects, apiVersion, answer);
      shrink(knownOf(conversion), new Set(needed.map((object) => keyOf(object, apiVersion))));
    },
  };
}

function keep(
  conversion: WebhookConversion,
  objects: readonly KubeObject[],
  apiVersion: string,
  answer: CalloutAnswer,
): void {
  const known = knownOf(conversion);
  const said = convertedObjects(answer, objects, apiVersion);
  for (const [index, object] of objects.entries()) {
    const key = keyOf(object, apiVersion);
    forget(known, key);
    known.objects.set(key, said instanceof Error ? said : (said[index] as KubeObject));
    known.characters += key.length;
  }
}

/** The oldest go first, and nothing of what is needed now, or it would be asked for again without end. */
function shrink(known: Known, needed: ReadonlySet<string>): void {
  for (const key of known.objects.keys()) {
    if (known.characters <= KEPT_CHARACTERS) return;
    if (!needed.has(key)) forget(known, key);
  }
}

type Response = { result?: { status?: string; message?: string }; convertedObjects?: KubeObject[] };

function convertedObjects(
  answer: CalloutAnswer,
  objects: readonly KubeObject[],
  apiVersion: string,
): readonly KubeObject[] | Error {
  const fail = (why: string) => {
    const kind = objects[0]?.kind ?? "";
    return internalError(`conversion webhook for ${objects[0]?.apiVersion}, Kind=${kind} failed: ${why}`);
  };
  if ("failed" in answer) return fail(answer.failed);
  let response: Response | undefined;
  try {
    response = (JSON.parse(answer.body) as { response?: Response }).response;
  } catch {
    return fail("the answer is no JSON");
  }
  if (response?.result?.status !== "Success") return fail(response?.result?.message ?? "the webhook gave no result");
  const made = response.convertedObjects ?? [];
  if (made.length !== objects.length)
    return fail(`webhook returned ${made.length} objects, expected ${objects.length}`);
  const wrong = made.find((object) => object.apiVersion !== apiVersion);
  return wrong ? fail(`webhook returned an object of ${wrong.apiVersion}, expected ${apiVersion}`) : made;
}
