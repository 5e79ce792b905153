import type { Sizes } from "../measure.ts";
import { type AnyGroup, group } from "../runner.ts";
import { api } from "./api.ts";
import { containers } from "./containers.ts";
import { curve } from "./curve.ts";
import { memories } from "./memory.ts";
import { node } from "./node.ts";
import { pods } from "./pods.ts";
import { scaling } from "./scaling.ts";
import { streams } from "./streams.ts";

/** All that is measured, in the order that it is. */
export const groupsOf = (sizes: Sizes): AnyGroup[] => [
  group(api(sizes)),
  group(memories(sizes)),
  group(pods(sizes)),
  group(containers(sizes)),
  group(node(sizes)),
  group(streams(sizes)),
  curve(sizes.curve),
  scaling(sizes.scaling),
];
