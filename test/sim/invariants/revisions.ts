/** One counter for all, and storage that holds what was committed and nothing else. */
import { refsOf } from "../../../worker/api/engine/refs.ts";
import { describe, nameOf } from "./history.ts";
import type { Rule, Scene, Seen } from "./rule.ts";

/** Revisions only grow, each is used once, and an object's own says which wrote it. */
export const revisionsGrow: Rule = {
  rule: "revisions-grow",
  start({ history, fail }) {
    let newest = history.start;
    return {
      step(step) {
        const { revision, object } = step;
        if (revision <= newest) fail(`${describe(step)} was committed at ${revision}, after ${newest}`);
        newest = revision;
        if (object.metadata?.resourceVersion !== String(revision))
          fail(`${describe(step)} says ${object.metadata?.resourceVersion} and was committed at ${revision}`);
      },
    };
  },
};

/** Writes of a minute, of virtual time, that no workload here needs: more is something that goes round in circles. */
const STORM_WRITES = 3000;
const MINUTE_MS = 60_000;

/** Nothing writes for ever because of what it has itself written. */
export const noStorms: Rule = {
  rule: "no-storms",
  start({ history, fail }) {
    let minute = 0;
    let writes = 0;
    return {
      step(step) {
        const now = Math.floor(history.at / MINUTE_MS);
        writes = now === minute ? writes + 1 : 1;
        minute = now;
        if (writes > STORM_WRITES) fail(`${writes} writes in a minute, the last was ${describe(step)}`);
      },
    };
  },
};

/** Each commit goes on from the one before it: what it adds was not there, what it changes or removes was. */
export const commitsFollow: Rule = {
  rule: "commits-follow-each-other",
  start: ({ fail }) => ({
    step(step) {
      const { type, before, uid } = step;
      if ((type === "ADDED") !== (before === undefined))
        fail(`${describe(step)} is ${type} at ${step.revision} and was ${before ? "there" : "not there"}`);
      if (before && before.uid !== uid) fail(`${describe(step)} became another object, ${uid} for ${before.uid}`);
    },
  }),
};

/** Of the sleeps between which little happens, those after which all is looked at; after the others, what is new. */
const ALL_EVERY_SLEEPS = 8;

/** Tells when to look at everything: after deaths, which undo writes, and some sleeps. Then nothing waits to be durable. */
function occasions(): (observation: Seen) => boolean {
  let sleeps = 0;
  return (observation) => {
    return observation.type === "rebuilt" && (observation.died || ++sleeps % ALL_EVERY_SLEEPS === 0);
  };
}

/** Whenever memory is thrown away, and at the end, storage has what the commits say, and memory has what storage has. */
export const storageHolds: Rule = {
  rule: "storage-follows-commits",
  start(scene) {
    const isTime = occasions();
    let compared = 0;
    const all = () => {
      compareStorage(scene, 0);
      compareMemory(scene);
    };
    return {
      seen(observation) {
        if (observation.type === "healed") compareMemory(scene);
        if (observation.type !== "rebuilt") return;
        if (isTime(observation)) all();
        else compareStorage(scene, compared);
        compared = scene.history.revision;
      },
      rested: all,
    };
  },
};

/** What finds objects by their owners, nodes, addresses and ports is what those objects say. */
export const indexesFollow: Rule = {
  rule: "indexes-follow-objects",
  start({ history, truth, fail }) {
    function check(): void {
      const missing = new Set<string>();
      for (const resource of history.resources())
        for (const entry of history.all(resource))
          for (const ref of refsOf(resource, entry.object)) missing.add(`${ref} of ${describe(entry)}`);
      for (const { ref, ...entry } of truth.refs()) {
        const term = `${ref} of ${describe(entry)}`;
        if (!missing.delete(term)) fail(`the index has ${term}, and the object does not`);
      }
      for (const term of missing) fail(`the index lacks ${term}`);
    }
    const isTime = occasions();
    return {
      seen(observation) {
        if (isTime(observation)) check();
      },
      rested: check,
    };
  },
};

function compareStorage({ history, truth, fail }: Scene, after: number): void {
  for (const stored of truth.stored(after)) {
    const entry = history.get(stored.resource, stored.namespace, stored.name);
    if (entry?.revision !== stored.revision || entry.json !== stored.json || entry.uid !== stored.uid)
      fail(`${describe(stored)} is stored at ${stored.revision} and was committed at ${entry?.revision}`);
  }
  const known = [...history.resources()].reduce((sum, resource) => sum + history.all(resource).length, 0);
  const { objects } = truth.storage();
  if (objects !== known) fail(`${objects} objects are stored and ${known} were committed`);
}

/** Also finds objects that were changed in a cache though they are shared. */
function compareMemory({ history, truth, fail }: Scene): void {
  const living = truth.living();
  if (!living || living.revision() !== history.revision) return;
  const served = new Set(living.resources());
  for (const resource of history.resources()) {
    if (!served.has(resource)) continue;
    const objects = living.objects(resource);
    const known = history.all(resource).length;
    if (objects.length !== known) fail(`memory has ${objects.length} ${resource} and ${known} were committed`);
    for (const object of objects) {
      const { namespace = "", name = "" } = object.metadata ?? {};
      const entry = history.get(resource, namespace, name);
      if (!entry || JSON.stringify(object) !== JSON.stringify(entry.object))
        fail(`${resource} ${nameOf({ namespace, name })} differs in memory from what was committed`);
    }
  }
}

/** Queue and log stay small, whatever happens. */
export const storageBounded: Rule = {
  rule: "storage-is-bounded",
  start({ history, truth, fail }) {
    let next = 0;
    const check = (): void => {
      const { work, changes, keep } = truth.storage();
      let objects = 0;
      for (const resource of history.resources()) objects += history.all(resource).length;
      // A row per object for most of its controllers at worst; of the log what it keeps and is about to drop.
      const mostWork = 100 + 4 * objects;
      if (work > mostWork) fail(`${work} rows of work for ${objects} objects`);
      const mostChanges = 2 * keep + 1000 + objects;
      if (changes > mostChanges) fail(`${changes} rows of changes, and ${keep} revisions are to be kept`);
    };
    const checkHorizon = (): void => {
      const { horizon, keep } = truth.storage();
      if (horizon > Math.max(0, history.revision - keep))
        fail(`the log begins after ${horizon} of ${history.revision} revisions, and ${keep} are to be kept`);
    };
    return {
      step({ revision }) {
        if (revision < next) return;
        next = revision + CHECK_EVERY;
        check();
      },
      seen({ type }) {
        if (type === "rebuilt") checkHorizon();
      },
      rested() {
        check();
        checkHorizon();
      },
    };
  },
};

const CHECK_EVERY = 250;
