import { asCoreEvent, type Event as NewEvent } from "../../kinds/events/event.ts";
import type {
  CoreV1Event,
  AutoscalingV1HorizontalPodAutoscaler as HpaV1,
  AutoscalingV2HorizontalPodAutoscaler as HpaV2,
} from "../../kinds/generated/types.ts";
import type { Kind, WebhookConversion } from "../../kinds/kind.ts";
import type { KubeObject } from "../../lib/object.ts";
import { hpaToV1, hpaToV2 } from "./autoscaler-versions.ts";
import { converted as byWebhook } from "./webhook-conversion.ts";

/**
 * One object under several API versions: it is stored in one form, and read and written in each. Versions that are not
 * listed here differ in nothing but the word `apiVersion`.
 */
type Conversion = {
  /** Storage's name of the resource, where a group of its own serves the same objects. */
  resource?: string;
  /** The version it is stored in. */
  apiVersion: string;
  toStored(object: KubeObject): KubeObject;
  fromStored(object: KubeObject): KubeObject;
};

const conversions: Readonly<Record<string, Conversion>> = {
  "events.k8s.io/v1 Event": {
    resource: "events",
    apiVersion: "v1",
    toStored: (object) => asCoreEvent(object as NewEvent),
    fromStored: (object) => asNewEvent(object as CoreV1Event),
  },
  "autoscaling/v1 HorizontalPodAutoscaler": {
    apiVersion: "autoscaling/v2",
    toStored: (object) => hpaToV2(object as HpaV1),
    fromStored: (object) => hpaToV1(object as HpaV2),
  },
};

const conversionOf = ({ apiVersion, kind }: Kind): Conversion | undefined => conversions[`${apiVersion} ${kind}`];

/** Under which name the kind's objects lie in storage and in the change log. */
export const storageResource = (kind: Kind): string => conversionOf(kind)?.resource ?? kind.groupResource;

/** Whether what was written in this kind's own version at a revision is as its schema has it now. */
export const isFresh = ({ refresh, schemaRevision = Number.POSITIVE_INFINITY }: Kind, revision: number): boolean =>
  !refresh || revision > schemaRevision;

/** A stored object as this kind's version shows it; may be the very object, so copy before changing. */
export function fromStored<T extends KubeObject>(kind: Kind, object: T): T {
  const revision = Number(object.metadata?.resourceVersion ?? 0);
  if (object.apiVersion === kind.apiVersion && isFresh(kind, revision)) return object;
  if (kind.refresh) {
    const isOther = kind.conversion !== undefined && object.apiVersion !== kind.apiVersion;
    const own = isOther ? byWebhook(kind.conversion, object, kind.apiVersion) : structuredClone(object);
    const fresh = { ...own, apiVersion: kind.apiVersion };
    kind.refresh(fresh);
    return fresh;
  }
  const converted = conversionOf(kind)?.fromStored(object) ?? object;
  return { ...converted, apiVersion: kind.apiVersion } as T;
}

/** The object, and the version that it is written in. */
export function toStored(kind: Kind, object: KubeObject): { apiVersion: string; object: KubeObject } {
  if (kind.conversion) return toWebhooksStored(kind, kind.conversion, object);
  const conversion = conversionOf(kind);
  if (!conversion) return { apiVersion: kind.apiVersion, object };
  return { apiVersion: conversion.apiVersion, object: conversion.toStored(object) };
}

/** Every version of it is made along with the one that is stored, so that watches of any can be told at once. */
function toWebhooksStored(kind: Kind, conversion: WebhookConversion, object: KubeObject) {
  const own = { ...object, apiVersion: kind.apiVersion, kind: kind.kind };
  const { storedAs, served } = conversion;
  const stored = storedAs === kind.apiVersion ? own : byWebhook(conversion, own, storedAs);
  for (const apiVersion of served) if (apiVersion !== storedAs) byWebhook(conversion, stored, apiVersion);
  return { apiVersion: storedAs, object: stored };
}

/** The kind under which a watch of a stored resource is served. */
export function kindServing(
  kinds: { all(): Iterable<Kind>; versions(groupResource: string): readonly Kind[] },
  resource: string,
  apiVersion: string,
): Kind | undefined {
  const own = kinds.versions(resource).find((kind) => kind.apiVersion === apiVersion);
  if (own) return own;
  for (const kind of kinds.all()) if (kind.apiVersion === apiVersion && storageResource(kind) === resource) return kind;
  return undefined;
}

function asNewEvent(event: CoreV1Event): KubeObject {
  const { involvedObject, message, reportingComponent, count, firstTimestamp, lastTimestamp, source, ...same } = event;
  return {
    ...same,
    regarding: involvedObject,
    ...(message && { note: message }),
    ...(reportingComponent && { reportingController: reportingComponent }),
    ...(!event.reportingInstance && { reportingInstance: undefined }),
    ...(count && { deprecatedCount: count }),
    deprecatedFirstTimestamp: firstTimestamp ?? null,
    deprecatedLastTimestamp: lastTimestamp ?? null,
    deprecatedSource: source ?? {},
  } as KubeObject;
}
