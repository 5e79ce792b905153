import { describe, expect, test } from "vitest";
import type { InspectedImage } from "../runtime.ts";
import { ImageGc, type UsedImages } from "./image-gc.ts";

const MINUTE = 60_000;
const image = (name: string, size: number): InspectedImage => ({
  Id: `sha256:${name}`,
  Size: size,
  RepoTags: [`${name}:1`],
  RepoDigests: [`${name}@sha256:digest-${name}`],
});

/** A node with a disk of 1000 bytes, of which so many are available. */
function node(given: { images: InspectedImage[]; available: number; maxAgeMs?: number }) {
  const here = new Map(given.images.map((each) => [each.Id, each]));
  const state = { now: MINUTE, available: given.available, used: { ids: new Set<string>(), names: new Set<string>() } };
  const removed: string[] = [];
  const told: string[] = [];
  const gc = new ImageGc({
    policy: { highPercent: 85, lowPercent: 80, minAgeMs: 2 * MINUTE, maxAgeMs: given.maxAgeMs ?? 0 },
    now: () => state.now,
    images: async () => [...here.values()],
    async remove({ Id, Size = 0 }) {
      if (Id === "sha256:stuck") throw new Error("in use");
      here.delete(Id);
      state.available += Size;
      removed.push(Id.slice("sha256:".length));
    },
    used: (): UsedImages => state.used,
    disk: () => ({ available: state.available, capacity: 1000 }),
    pinned: ["pause:1"],
    tellNode: (_, reason, message) => told.push(`${reason}: ${message}`),
    log: () => {},
  });
  return { gc, state, removed, told, here };
}

describe("images go", () => {
  test("only when the disk is nearly full, and then as few as it takes", async () => {
    const { gc, state, removed } = node({ images: [image("a", 60), image("b", 60), image("c", 60)], available: 160 });
    await gc.collect(); // so that they are known
    state.now = 10 * MINUTE;
    await gc.collect();
    expect(removed).toEqual([]);
    state.available = 100;
    await gc.collect();
    expect(removed).toEqual(["a", "b"]);
  });

  test("but for those that are used, are pinned or have just come; the least lately used first", async () => {
    const images = [image("used", 1), image("named", 1), image("pause", 1), image("lately", 1), image("never", 1)];
    const { gc, state, removed, here } = node({ images, available: 1000 });
    state.used.ids.add("sha256:digest-lately");
    await gc.collect();
    state.used = { ids: new Set(["sha256:used"]), names: new Set(["docker.io/library/named:1"]) };
    state.now = 10 * MINUTE;
    here.set("sha256:new", image("new", 1));
    await gc.freeUnused();
    expect(removed).toEqual(["never", "lately"]);
  });

  test("and where that is not enough, or one cannot be removed, the node says so", async () => {
    const { gc, state, removed, told } = node({ images: [image("stuck", 50), image("a", 20)], available: 100 });
    await gc.collect();
    told.length = 0;
    state.now = 10 * MINUTE;
    await gc.collect();
    expect(removed).toEqual(["a"]);
    expect(told[0]).toBe(
      "FreeDiskSpaceFailed: Insufficient free disk space on the node's image filesystem (90% of 1000 B used). Failed to free sufficient space by deleting unused images (freed 20 bytes). Investigate disk usage, as it could be used by active images, logs, volumes, or other data.",
    );
  });

  test("whatever the disk, when they were not used for too long", async () => {
    const { gc, state, removed } = node({
      images: [image("old", 1), image("used", 1)],
      available: 1000,
      maxAgeMs: MINUTE,
    });
    await gc.collect();
    expect(removed).toEqual([]);
    state.used.ids.add("sha256:used");
    state.now = 3 * MINUTE;
    await gc.collect();
    expect(removed).toEqual(["old"]);
  });
});
