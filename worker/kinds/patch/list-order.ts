/** What tells one item of a list from another, as text. */
export type Identity = (item: unknown) => string;

/** Where each item stands; of items that are alike the first. */
export function positions(items: readonly unknown[], id: Identity): Map<string, number> {
  const found = new Map<string, number>();
  items.forEach((item, position) => {
    const name = id(item);
    if (!found.has(name)) found.set(name, position);
  });
  return found;
}

/**
 * Orders a merged list: items of `wanted` come in its order; the others keep that of `before`, and each stands ahead
 * of the first item of `wanted` that it stood ahead of there.
 */
export function enforceOrder(
  merged: readonly unknown[],
  wanted: readonly unknown[],
  before: readonly unknown[],
  id: Identity,
): unknown[] {
  const order = positions(wanted, id);
  const former = positions(before, id);
  const by = (places: Map<string, number>) => (a: unknown, b: unknown) =>
    (places.get(id(a)) ?? -1) - (places.get(id(b)) ?? -1);
  const named = merged.filter((item) => order.has(id(item))).sort(by(order));
  const others = merged.filter((item) => !order.has(id(item))).sort(by(former));
  const result: unknown[] = [];
  let next = 0;
  for (const item of named) {
    const at = former.get(id(item)) ?? -1;
    for (; next < others.length; next++) {
      const place = former.get(id(others[next]));
      if (place === undefined || place >= at) break;
      result.push(others[next]);
    }
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}
