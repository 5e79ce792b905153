/**
 * Who makes the cluster look for nodes that fell silent. The Cluster object sleeps while nothing happens, and a machine
 * without power closes no socket; only another node has a use for knowing, and its agent is awake. So the agents take
 * turns by the cluster's clock: whatever the number of nodes, one word every `WATCH_MS`, 216 billed requests a day, and
 * none from a node that is alone. The turn of a dead node passes unused; what it was to find, the next one finds.
 */
export const WATCH_MS = 20_000;

/** `nodes` are all the cluster's, in any order; `turn` counts `WATCH_MS` since the epoch. */
export function isOnWatch(node: string, nodes: readonly string[], turn: number): boolean {
  return nodes.length > 1 && nodes.toSorted()[turn % nodes.length] === node;
}

/** Calls `turn` at every change of the watch, until what it returns is called. */
export function keepWatch(
  effects: { now(): number; after(ms: number, body: () => void): () => void },
  changed: (turn: number) => void,
): () => void {
  // Rounded, since a timer may be a little early.
  const turn = () => Math.round(effects.now() / WATCH_MS);
  let cancel = next();
  function next(): () => void {
    return effects.after((turn() + 1) * WATCH_MS - effects.now(), () => {
      changed(turn());
      cancel = next();
    });
  }
  return () => cancel();
}
