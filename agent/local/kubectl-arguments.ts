/** What names a cluster may come first, as with kubectl itself; each command takes it as its own. */
export function rearranged(args: readonly string[]): string[] {
  let at = 0;
  while (/^--(context|kubeconfig)(=|$)/.test(args[at] ?? "")) at += args[at]?.includes("=") ? 1 : 2;
  const rest = args.slice(at);
  const end = rest.includes("--") ? rest.indexOf("--") : rest.length;
  return [...rest.slice(0, end), ...args.slice(0, at), ...rest.slice(end)];
}
