/** What clients are told of their writes is so, and stays so. */
import { read } from "../../../worker/kinds/paths.ts";
import type { KubeObject } from "../../../worker/lib/object.ts";
import { describe, type History } from "./history.ts";
import { type Marker, markerKey, markerOf, markersOf } from "./marker.ts";
import { type Asked, isWrite } from "./requests.ts";
import type { Rule } from "./rule.ts";

type ListBody = KubeObject & { items?: KubeObject[]; metadata?: { resourceVersion?: string } };

const isSuccess = (code: number): boolean => code >= 200 && code < 300;
/** Answers of the server's own trouble leave open what happened, as upstream. */
const isRefusal = (code: number): boolean => code >= 400 && code < 500;
/** Posted, and not stored under a name of their own. */
const UNSTORED = new Set(["eviction", "binding", "token"]);

const requestOf = ({ method, resource, namespace, name, subresource }: Asked): string =>
  `${method} ${resource} ${namespace}/${name}${subresource && `/${subresource}`}`;

/** A write that was answered with success is in the history, at the revision of the answer, with what was asked for. */
export const acknowledgedWrites: Rule = {
  rule: "acknowledged-writes-stay",
  start({ history, fail }) {
    function checkDeleted(asked: Asked): void {
      const entry = history.get(asked.resource, asked.namespace, asked.name);
      if (!entry || entry.object.metadata?.deletionTimestamp || entry.since > asked.revision) return;
      fail(`${requestOf(asked)} was granted, and ${describe(entry)} lives on`);
    }

    function checkWritten(asked: Asked, answer: KubeObject): void {
      const { uid, resourceVersion } = answer.metadata ?? {};
      const revision = Number(resourceVersion);
      if (!uid || !resourceVersion || revision <= history.start) return;
      const step = history.stepAt(revision);
      if (step?.uid !== uid) fail(`${requestOf(asked)} was answered with revision ${revision}, which no commit has`);
      const marker = markerOf(asked.body, asked.client);
      if (!marker || asked.subresource !== "" || !step) return;
      const isWritten = markersOf(step.object).some((found) => markerKey(found) === markerKey(marker));
      // The update that takes the last finalizer off is not stored: the object goes instead.
      const isGone = step.object.metadata?.deletionTimestamp !== undefined && !history.byUid(uid);
      if (!isWritten && !isGone) fail(`${requestOf(asked)} of ${markerKey(marker)} is not in revision ${revision}`);
    }

    return {
      answered(asked, { code, body }) {
        if (!isSuccess(code) || !isWrite(asked)) return;
        if (asked.subresource === "eviction" || (asked.method === "DELETE" && asked.name !== "")) checkDeleted(asked);
        else if (asked.method !== "DELETE" && !UNSTORED.has(asked.subresource)) checkWritten(asked, body as KubeObject);
      },
    };
  },
};

/** An update that names the version it was made from replaces that one and no other. */
export const updatesFollow: Rule = {
  rule: "updates-follow-what-was-read",
  start: ({ history, fail }) => ({
    answered(asked, { code, body }) {
      if (!isSuccess(code) || !isWrite(asked) || asked.method !== "PUT" || asked.subresource !== "") return;
      const given = (asked.body as KubeObject | undefined)?.metadata?.resourceVersion;
      const answered = (body as KubeObject).metadata?.resourceVersion;
      const step = history.stepAt(Number(answered));
      if (!given || given === answered || !step?.before) return;
      if (String(step.before.revision) !== given)
        fail(`${requestOf(asked)} from revision ${given} replaced ${step.before.revision} at ${answered}`);
    },
  }),
};

/** A write that was refused, or asked only for trial, is in no commit, before or after the answer. */
export const refusedWrites: Rule = {
  rule: "refused-writes-leave-nothing",
  start({ fail }) {
    const seen = new Set<string>();
    const refused = new Map<string, string>();
    return {
      step({ object, type }) {
        if (type === "DELETED") return;
        for (const marker of markersOf(object)) {
          const key = markerKey(marker);
          seen.add(key);
          const request = refused.get(key);
          if (request) fail(`${request} of ${key} was refused and done`);
        }
      },
      answered(asked, { code }) {
        const marker: Marker | undefined = asked.method === "GET" ? undefined : markerOf(asked.body, asked.client);
        if (!marker || (!isRefusal(code) && isWrite(asked))) return;
        const key = markerKey(marker);
        const request = `${requestOf(asked)} (${isWrite(asked) ? code : "a dry run"})`;
        if (seen.has(key)) fail(`${request} of ${key} was refused and done`);
        refused.set(key, request);
      },
    };
  },
};

/** Nobody is shown what a crash could still undo. */
export const onlyDurable: Rule = {
  rule: "only-durable-is-told",
  start({ history, fail }) {
    const check = (object: KubeObject | undefined, where: string): void => {
      const revision = Number(object?.metadata?.resourceVersion ?? 0);
      if (revision > history.revision)
        fail(`${where} tells of revision ${revision} when ${history.revision} is the newest that is durable`);
    };
    return {
      seen(observation) {
        if (observation.type === "watch-event") check(observation.object, `watch ${observation.watch}`);
        if (observation.type !== "answer") return;
        const body = observation.body as ListBody | undefined;
        check(body, `answer ${observation.id}`);
        for (const item of body?.items ?? []) check(item, `answer ${observation.id}`);
      },
    };
  },
};

/** What a client made itself, and nothing owns, goes only when a client says so or its namespace goes. */
export const nothingVanishes: Rule = {
  rule: "nothing-vanishes-unasked",
  start: ({ history, requests, fail }) => ({
    step(step) {
      const { old, object, type } = step;
      const isLeaving = type === "DELETED" || object.metadata?.deletionTimestamp !== undefined;
      if (!old || !isLeaving || old.metadata?.deletionTimestamp) return;
      if (step.resource === "pods" || markersOf(old).length === 0 || old.metadata?.ownerReferences?.length) return;
      const isMortal = read(old, "spec.ttlSecondsAfterFinished") !== undefined;
      if (isMortal || requests.deletionsOf(step).length > 0 || isNamespaceLeaving(history, step.namespace)) return;
      fail(`${describe(step)} was deleted and no client asked for it`);
    },
  }),
};

export const isNamespaceLeaving = (history: History, namespace: string): boolean =>
  namespace !== "" && history.get("namespaces", "", namespace)?.object.metadata?.deletionTimestamp !== undefined;
