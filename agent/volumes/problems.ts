/** Several problems as one: `[first, second]`, as the kubelet tells them. */
export const aggregate = (problems: readonly string[]): string => {
  const [first = "", ...rest] = new Set(problems);
  return rest.length ? `[${[first, ...rest].join(", ")}]` : first;
};
