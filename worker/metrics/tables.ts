/** The table of a Metrics object, in steps that are taken once each: a released one is never changed. */
export const METRICS_MIGRATIONS: readonly { tag: string; statements: readonly string[] }[] = [
  {
    tag: "0000_metrics",
    statements: [
      // What one node told of one stretch of time, a row for all its series. `until` is the end of the newest slot.
      `CREATE TABLE chunks (node text NOT NULL, grain integer NOT NULL, start integer NOT NULL, until integer NOT NULL,
        body text NOT NULL, PRIMARY KEY (node, grain, start)) WITHOUT ROWID`,
    ],
  },
];
