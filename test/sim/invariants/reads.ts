/** What clients read is what was there. */
import type { KubeObject } from "../../../worker/lib/object.ts";
import { nameOf } from "./history.ts";
import type { Asked } from "./requests.ts";
import type { Rule } from "./rule.ts";

type List = { metadata?: { resourceVersion?: string; continue?: string }; items: KubeObject[] };

const PARTIAL = ["limit", "continue", "labelSelector", "fieldSelector"];

/** A whole list is the state at its revision, and that is not older than what was durable when it was asked for. */
export const lists: Rule = {
  rule: "lists-are-snapshots",
  start({ history, fail }) {
    function check({ resource, namespace, query, revision: asked }: Asked, list: List): void {
      const revision = Number(list.metadata?.resourceVersion ?? 0);
      if (!query.get("resourceVersion") && revision < asked)
        fail(`a list of ${resource} is of revision ${revision}, and ${asked} was durable when it was asked for`);
      if (revision < history.start) return;
      const expected = history.snapshot(resource, namespace || undefined, revision);
      for (const { metadata = {} } of list.items) {
        const key = nameOf({ namespace: metadata.namespace ?? "", name: metadata.name ?? "" });
        const entry = expected.get(key);
        if (String(entry?.revision) !== metadata.resourceVersion || entry?.uid !== metadata.uid)
          fail(
            `a list of ${resource} at ${revision} has ${key} of ${metadata.resourceVersion}, not ${entry?.revision}`,
          );
        expected.delete(key);
      }
      for (const missing of expected.keys()) fail(`a list of ${resource} at ${revision} lacks ${missing}`);
    }
    return {
      answered(asked, { code, body }) {
        if (asked.method !== "GET" || asked.name !== "" || code !== 200 || !(body as List | undefined)?.items) return;
        if (!PARTIAL.some((name) => asked.query.has(name))) check(asked, body as List);
      },
    };
  },
};

/** An object that is read is not older than what was durable when it was asked for. */
export const freshReads: Rule = {
  rule: "reads-are-fresh",
  start: ({ history, fail }) => ({
    answered(asked, { code, body }) {
      const { resource, namespace, name, subresource, revision: since } = asked;
      if (asked.method !== "GET" || name === "" || subresource !== "" || asked.query.get("resourceVersion")) return;
      if (code !== 200 && code !== 404) return;
      const steps = history.steps(resource);
      const told = code === 404 ? undefined : Number((body as KubeObject).metadata?.resourceVersion);
      // Any state between the question and the answer will do.
      let entry = history.get(resource, namespace, name);
      if (entry?.revision === told) return;
      for (let i = steps.length - 1; i >= 0 && (steps[i]?.revision ?? 0) > since; i--) {
        const step = steps[i];
        if (step?.namespace !== namespace || step.name !== name) continue;
        entry = step.before;
        if (entry?.revision === told) return;
      }
      fail(
        `${resource} ${namespace}/${name} was read as of ${told ?? "not there"}; it was of ${entry?.revision} already`,
      );
    },
  }),
};
