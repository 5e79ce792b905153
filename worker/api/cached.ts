import type { Store } from "../storage/store.ts";

/** What `read` returns, made again after a commit that touched any of the resources. */
export function cached<T>(store: Pick<Store, "onChange">, resources: readonly string[], read: () => T): () => T {
  let known: { value: T } | undefined;
  store.onChange((changes) => {
    if (changes.some(({ resource }) => resources.includes(resource))) known = undefined;
  });
  return () => {
    known ??= { value: read() };
    return known.value;
  };
}
