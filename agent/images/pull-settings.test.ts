import { expect, test } from "vitest";
import { type PullConfiguration, pullSettings } from "./pull-settings.ts";

test.each([
  [{}, 1],
  [{ serializeImagePulls: true }, 1],
  [{ serializeImagePulls: false }, Number.POSITIVE_INFINITY],
  [{ maxParallelImagePulls: 1 }, 1],
  [{ maxParallelImagePulls: 4 }, 4],
  [{ serializeImagePulls: false, maxParallelImagePulls: 4 }, 4],
])("%j means so many pulls at once: %d", (given, parallel) => {
  expect(pullSettings(given).limits.parallel).toBe(parallel);
});

test("a pull's deadline is containerd's, unless it is said", () => {
  expect(pullSettings().limits.progressDeadlineMs).toBe(300_000);
  expect(pullSettings({ imagePullProgressDeadline: "1m30s" }).limits.progressDeadlineMs).toBe(90_000);
});

test.each([
  [undefined, undefined, "r.io/app:1", [false, true]],
  ["NeverVerify", undefined, "r.io/app:1", [false, false]],
  ["AlwaysVerify", undefined, "r.io/app:1", [true, true]],
  ["NeverVerifyAllowlistedImages", ["r.io/*"], "r.io/app", [false, false]],
  ["NeverVerifyAllowlistedImages", ["r.io/app"], "r.io/app", [false, false]],
  ["NeverVerifyAllowlistedImages", ["r.io/ap"], "r.io/app", [true, true]],
])("%s with %j asks for credentials to %s when it was not pulled, and when it was: %j", (policy, list, image, asks) => {
  const { verification } = pullSettings({
    imagePullCredentialsVerificationPolicy: policy,
    preloadedImagesVerificationAllowlist: list,
  });
  expect([verification(image, false), verification(image, true)]).toEqual(asks);
});

const allowing = (pattern: string): PullConfiguration => ({
  imagePullCredentialsVerificationPolicy: "NeverVerifyAllowlistedImages",
  preloadedImagesVerificationAllowlist: [pattern],
});

test.each<[PullConfiguration, string]>([
  [{ maxParallelImagePulls: 0 }, "maxParallelImagePulls 0 must be a positive number"],
  [{ serializeImagePulls: true, maxParallelImagePulls: 2 }, "cannot be larger than 1 unless SerializeImagePulls"],
  [{ imagePullProgressDeadline: "soon" }, 'time: invalid duration "soon"'],
  [{ imagePullProgressDeadline: "0s" }, 'time: invalid duration "0s"'],
  [
    { imagePullCredentialsVerificationPolicy: "Sometimes" },
    'option "Sometimes" specified for imagePullCredentialsVerificationPolicy. Valid options are "NeverVerify", "NeverVerifyPreloadedImages", "NeverVerifyAllowlistedImages" or "AlwaysVerify"',
  ],
  [{ preloadedImagesVerificationAllowlist: ["a"] }, "can't set `preloadedImagesVerificationAllowlist`"],
  [allowing("a "), "leading/trailing spaces are not allowed: a "],
  [allowing(""), "the supplied pattern is too short: "],
  [allowing("a*/b"), "only patterns ending with '/*' are allowed: a*/b"],
  [allowing("/*"), "at least registry hostname is required"],
  [allowing("r.io/a:1"), "neither tag nor digest is accepted in an image reference: r.io/a:1"],
])("%j is refused", (given, why) => {
  expect(() => pullSettings(given)).toThrow(why);
});
