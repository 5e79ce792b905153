import { asIs, MAX_SCORE, type Score } from "../framework.ts";

const MEGABYTE = 1024 * 1024;
/** Less than this is not worth a preference. */
const LEAST_BYTES = 23 * MEGABYTE;
const MOST_BYTES_PER_CONTAINER = 1000 * MEGABYTE;

/** A name without tag or digest means `:latest`. */
const fullName = (image: string): string => (/[:@][^/]*$/.test(image) ? image : `${image}:latest`);

/** Nodes that have the pod's images already; an image that most nodes have counts more, to keep hot spots away. */
export const imageLocality: Score = {
  name: "ImageLocality",
  weight: 1,
  scale: asIs,
  rate({ pod }, { snapshot }, nodes) {
    const images = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(({ image = "" }) =>
      fullName(image),
    );
    const reach = images.map((image) => nodes.filter((node) => node.images.has(image)).length / snapshot.nodes.size);
    if (reach.every((part) => part === 0)) return undefined;
    const most = MOST_BYTES_PER_CONTAINER * images.length;
    return (node) => {
      const bytes = images.reduce((sum, image, i) => sum + (node.images.get(image) ?? 0) * (reach[i] ?? 0), 0);
      const counted = Math.min(most, Math.max(LEAST_BYTES, bytes));
      return Math.floor((MAX_SCORE * (counted - LEAST_BYTES)) / (most - LEAST_BYTES));
    };
  },
};
