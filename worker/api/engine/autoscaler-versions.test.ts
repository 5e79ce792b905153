import { expect, it } from "vitest";
import type {
  AutoscalingV1HorizontalPodAutoscaler as HpaV1,
  AutoscalingV2HorizontalPodAutoscaler as HpaV2,
} from "../../kinds/generated/types.ts";
import { hpaToV1, hpaToV2 } from "./autoscaler-versions.ts";
import recorded from "./testdata/autoscaler-versions.json" with { type: "json" };

/** One object as kube-apiserver v1.35.4 gives it in both versions, and in the second after the first was sent back. */
it("tells in version 1 what kube-apiserver tells", () => {
  expect(hpaToV1(recorded.v2 as unknown as HpaV2)).toEqual(recorded.v1);
});

it("reads from version 1 what kube-apiserver reads", () => {
  const { spec, status } = hpaToV2(recorded.v1 as unknown as HpaV1) as HpaV2;
  expect({ spec, status }).toEqual(recorded.again);
});
