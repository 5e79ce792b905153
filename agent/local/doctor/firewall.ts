/** Chains of nftables through which pods' packets do not pass, from `nft -j list ruleset`: libnftables-json(5). */

/** `unless`: it has rules of which nothing can be said here that may let them through. */
export type Dropping = { table: string; chain: string; hook: string; unless?: boolean };

type Chain = { family: string; table: string; name: string; hook?: string; policy?: string };
type Match = { op: string; left: unknown; right: unknown };
type Expression = { match?: Match; accept?: null; jump?: unknown; goto?: unknown; vmap?: unknown } & object;
type Rule = { family: string; table: string; chain: string; expr: readonly Expression[] };
export type Ruleset = { nftables: readonly { chain?: Chain; rule?: Rule }[] };

/** In these the agent lets pods through, by iptables; the others of the family are not its to change. */
const HANDLED = /^ip6? filter$/;
/** What pods' interfaces on the node begin with. */
const PODS = "veth";
/** By which sides of a packet's way a chain has to let it through. */
const SIDES: Record<string, readonly ("iif" | "oif")[]> = { forward: ["iif", "oif"], input: ["iif"] };

export function dropping({ nftables }: Ruleset): Dropping[] {
  const rules = nftables.flatMap(({ rule }) => rule ?? []);
  return nftables.flatMap(({ chain }) => {
    const sides = SIDES[chain?.hook ?? ""];
    if (!chain?.hook || !sides || chain.policy !== "drop") return [];
    const table = `${chain.family} ${chain.table}`;
    if (!["ip", "inet"].includes(chain.family) || HANDLED.test(table) || chain.table.startsWith("skerry-")) return [];
    const own = rules.filter(
      (rule) => rule.family === chain.family && rule.table === chain.table && rule.chain === chain.name,
    );
    if (sides.every((side) => own.some((rule) => passes(rule, side) === "all"))) return [];
    const unless = sides.every((side) => own.some((rule) => passes(rule, side) !== "none"));
    return [{ table, chain: chain.name, hook: chain.hook, ...(unless && { unless }) }];
  });
}

/** Which of the packets that come from pods (`iif`), or go to them (`oif`), a rule lets through. */
function passes({ expr }: Rule, side: "iif" | "oif"): "all" | "some" | "none" {
  const leads = expr.some((one) => "jump" in one || "goto" in one || "vmap" in one);
  if (!leads && !expr.some((one) => "accept" in one)) return "none";
  const matches = expr.flatMap(({ match }) => (match ? [isOfPods(match, side)] : []));
  if (matches.includes("none")) return "none";
  return leads || matches.includes("some") ? "some" : "all";
}

function isOfPods({ op, left, right }: Match, side: "iif" | "oif"): "all" | "some" | "none" {
  const { meta, ct } = left as { meta?: { key: string }; ct?: { key: string } };
  const values = [(right as { set?: unknown })?.set ?? right].flat();
  // An answer to what was let through before.
  if (ct?.key === "state" && op !== "!=" && !values.includes("new")) return "none";
  if (!meta || ![side, `${side}name`].includes(meta.key)) return "some";
  if (values.some((value) => typeof value !== "string" || value.startsWith("@"))) return "some";
  const isNamed = values.some((name) => isPattern(String(name)));
  return isNamed === (op === "!=") ? "none" : "all";
}

const isPattern = (name: string) => name.endsWith("*") && PODS.startsWith(name.slice(0, -1));
