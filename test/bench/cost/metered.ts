/**
 * The Worker with its meters read: what Cloudflare would bill. The counts are the isolate's
 * own, which Worker and objects share on one machine, so that reading them wakes no object.
 */

import { effects } from "../../../worker/effects.ts";
import type { Env } from "../../../worker/env.ts";
import type { HostPlatform } from "../../../worker/host.ts";
import plain, { Cluster as PlainCluster, Relay as PlainRelay } from "../../../worker/index.ts";
import { combined } from "../../../worker/lib/facts/usage.ts";
import { Meter } from "../../../worker/meter.ts";
import type { SqlParameter } from "../../../worker/storage/store.ts";
import { NOTHING, type Usage } from "./usage.ts";

/** Where the counts are read. */
const METER_PATH = "/meter";

const usage: Usage = { ...NOTHING };

/** An event that expires: itself, its ref, the log's word of it, and that word's compaction. */
const ROWS_OF_EXPIRY = 4;

/** Every row of the logs is deleted once, and every event after its hour. */
function laterOf(statement: string, [first]: readonly SqlParameter[]): number {
  if (/^INSERT INTO (changes|journal)/.test(statement)) return 1;
  return statement.startsWith("INSERT INTO objects") && first === "events" ? ROWS_OF_EXPIRY : 0;
}

const meters: Meter[] = [];

/** It has a meter of its own; what will be written later is counted here. */
export class Cluster extends PlainCluster {
  protected override platform(): HostPlatform {
    usage.wakes++;
    meters.push(this.meter);
    const platform = super.platform();
    const { sql } = platform;
    const heard = (statement: string, parameters: readonly SqlParameter[]) => {
      usage.rowsLater += laterOf(statement, parameters);
      if (!statement.startsWith("SELECT")) usage.storedBytes = this.ctx.storage.sql.databaseSize;
    };
    return {
      ...platform,
      sql: {
        ...sql,
        all(statement, ...parameters) {
          heard(statement, parameters);
          return sql.all(statement, ...parameters);
        },
        run(statement, ...parameters) {
          heard(statement, parameters);
          sql.run(statement, ...parameters);
        },
      },
    };
  }
}

/** Its time while one side waits for the other is not counted: that is a timer of its own. */
export class Relay extends PlainRelay {
  private readonly meter = new Meter(effects, () => 0);

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    meters.push(this.meter);
  }

  override fetch(request: Request): Promise<Response> {
    return this.meter.during("objectRequests", () => super.fetch(request));
  }
}

export { Metrics } from "../../../worker/metrics.ts";
export { Registry } from "../../../worker/registry.ts";

function all(): Usage {
  const sums = { ...usage };
  for (const { total } of meters)
    Object.assign(
      sums,
      combined(sums, total, (x, y) => x + y),
    );
  return sums;
}

export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === METER_PATH) return Response.json(all());
    usage.workerRequests++;
    return plain.fetch(request, env);
  },
} satisfies ExportedHandler<Env>;
