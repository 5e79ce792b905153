/**
 * Shuffle sharding: each flow may use a few of the queues, so that it hardly ever shares all of them with a flow that
 * fills its own. https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#queuing
 */
import { fnv32 } from "../../lib/fnv.ts";

const OTHER_BASIS = 0x9e3779b9;

/** `handSize` different queues out of `queues`, always the same for one text. */
export function hand(flow: string, queues: number, handSize: number): number[] {
  let entropy = (BigInt(fnv32(flow)) << 32n) | BigInt(fnv32(flow, OTHER_BASIS));
  const dealt: number[] = [];
  for (let left = queues; left > queues - handSize; left--) {
    let card = Number(entropy % BigInt(left));
    entropy /= BigInt(left);
    // It is the card's place among those that are left.
    for (const other of dealt.toSorted((a, b) => a - b)) if (card >= other) card++;
    dealt.push(card);
  }
  return dealt;
}
