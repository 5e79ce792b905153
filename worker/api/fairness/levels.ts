/** What is stored of priority levels and FlowSchemas, as requests are judged by it. */
import type { FlowSchema } from "../../kinds/flowcontrol/flow-schema.ts";
import { MANDATORY_LEVELS, MANDATORY_SCHEMAS } from "../../kinds/flowcontrol/mandatory.ts";
import type { PriorityLevelConfiguration } from "../../kinds/flowcontrol/priority-level-configuration.ts";
import type { LevelRules } from "./queues.ts";

/** Requests that kube-apiserver carries out at once by default; the levels divide them by their shares. */
const SEATS = 600;

type Named = { metadata?: { name?: string } };
const withMandatory = <T extends Named>(stored: readonly T[], mandatory: readonly T[]): T[] => [
  ...stored,
  ...mandatory.filter(({ metadata }) => !stored.some((known) => known.metadata?.name === metadata?.name)),
];

export type Levels = ReadonlyMap<string, { uid: string; rules: LevelRules }>;

export function levelsOf(stored: readonly Readonly<PriorityLevelConfiguration>[]): Levels {
  const all = withMandatory(stored, MANDATORY_LEVELS);
  const sum = all.reduce((shares, level) => shares + sharesOf(level), 0);
  return new Map(
    all.map((level) => {
      const { limited } = level.spec ?? {};
      const shares = sharesOf(level);
      const { queues = 0, handSize = 0, queueLengthLimit = 0 } = limited?.limitResponse?.queuing ?? {};
      const rules: LevelRules = {
        exempt: level.spec?.type === "Exempt",
        shares,
        seats: Math.ceil((SEATS * shares) / Math.max(sum, 1)),
        ...(limited?.limitResponse?.type === "Queue" && { queuing: { queues, handSize, queueLengthLimit } }),
      };
      return [level.metadata?.name ?? "", { uid: level.metadata?.uid ?? "", rules }];
    }),
  );
}

const sharesOf = ({ spec }: Readonly<PriorityLevelConfiguration>): number =>
  (spec?.limited ?? spec?.exempt)?.nominalConcurrencyShares ?? 0;

const precedence = ({ spec }: Readonly<FlowSchema>) => spec?.matchingPrecedence ?? 0;

/** In the order in which they are asked; those of a level that does not exist are not. */
export function schemasOf(stored: readonly Readonly<FlowSchema>[], levels: Levels): Readonly<FlowSchema>[] {
  return withMandatory(stored, MANDATORY_SCHEMAS)
    .filter(({ spec }) => levels.has(spec?.priorityLevelConfiguration?.name ?? ""))
    .sort((a, b) => precedence(a) - precedence(b) || ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1));
}
