import type { limiter } from "./limiter.ts";

/**
 * Joins calls that wait for their turn: `body` gets all IDs that were asked for until its turn came, up to `most` of
 * them, and each caller its result.
 */
export function batcher<Result>(
  turns: ReturnType<typeof limiter>,
  most: number,
  body: (ids: readonly string[]) => Promise<Result>,
): (ids: readonly string[]) => Promise<Result> {
  let open: { ids: string[]; result: Promise<Result> } | undefined;
  return (ids) => {
    if (open && open.ids.length + ids.length <= most) {
      open.ids.push(...ids);
      return open.result;
    }
    const joined = [...ids];
    const begin = () => {
      if (open?.ids === joined) open = undefined;
      return body(joined);
    };
    const batch = { ids: joined, result: Promise.resolve().then(() => turns(begin)) };
    open = batch;
    return batch.result;
  };
}
