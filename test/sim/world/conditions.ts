/** How the machine behaves; the faults of the world turn these. */
export type Conditions = {
  /** How long a write takes to be durable, ms. */
  storage: { least: number; most: number };
  /** Writes fail, each by this chance: the disk is full, or the day's allowance is used up. */
  writesFail: { why: string; chance: number } | undefined;
  /** The platform turns everything away that would reach the object. */
  refused: boolean;
  /** By how much alarms come late at most, ms. */
  alarmLate: number;
  /** Chance that an alarm goes off twice. */
  alarmTwice: number;
  /** Chance that it sleeps when it could. */
  sleeps: number;
};

export const CALM: Conditions = {
  storage: { least: 0, most: 4 },
  writesFail: undefined,
  refused: false,
  alarmLate: 50,
  alarmTwice: 0,
  sleeps: 0.3,
};
