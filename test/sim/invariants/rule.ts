/** Rules over one shared history, and what makes an `Invariant` of them. */
import { type Invariant, type Observation, type Truth, Violation } from "../contract.ts";
import { History, type Step } from "./history.ts";
import { type Asked, Requests } from "./requests.ts";

export type Seen = Exclude<Observation, { type: "commit" }>;

/** What a rule has at hand. All of it is in the state after what the rule is being told. */
export type Scene = {
  history: History;
  truth: Truth;
  requests: Requests;
  /** Throws the rule's violation. */
  fail(message: string): never;
};

export type Rule = {
  /** A stable name that tests quote. */
  rule: string;
  start(scene: Scene): {
    /** Every change in its order, with the history just after it. */
    step?(step: Step): void;
    seen?(observation: Seen): void;
    /** A client heard of its request. */
    answered?(asked: Asked, answer: Extract<Observation, { type: "answer" }>): void;
    rested?(): void;
  };
};

/** One invariant out of many rules: history is replayed once for all of them. Violations bear the rules' own names. */
export function together(rule: string, rules: readonly Rule[]): Invariant {
  return {
    rule,
    start(truth) {
      const history = new History(truth.stored(), truth.revision());
      const requests = new Requests(history);
      const started = rules.map(({ rule: name, start }) =>
        start({
          history,
          truth,
          requests,
          fail(message) {
            throw new Violation(name, message);
          },
        }),
      );
      const steppers = started.filter(({ step }) => step);
      const seers = started.filter(({ seen }) => seen);
      return {
        observe(observation) {
          history.at = observation.at;
          if (observation.type === "commit") {
            for (const change of observation.changes) {
              const step = history.apply(change, observation.at);
              for (const { step: tell } of steppers) tell?.(step);
            }
            return;
          }
          if (observation.type === "request") requests.sent(observation);
          for (const { seen } of seers) seen?.(observation);
          if (observation.type === "answer") {
            const asked = requests.answered(observation);
            if (asked) for (const { answered } of started) answered?.(asked, observation);
          }
        },
        rested() {
          for (const { rested } of started) rested?.();
        },
      };
    },
  };
}
