/**
 * The Worker with a meter around it: what Cloudflare would bill, counted from outside of the code that is billed. The
 * counts are the isolate's own, which Worker and objects share on one machine, so that reading them wakes no object.
 */

import type { Env } from "../../../worker/env.ts";
import type { HostPlatform } from "../../../worker/host.ts";
import plain, { Cluster as PlainCluster, Relay as PlainRelay } from "../../../worker/index.ts";
import type { Sql, SqlValue } from "../../../worker/storage/store.ts";
import { NOTHING, type Usage } from "./usage.ts";

/** Where the counts are read. */
const METER_PATH = "/meter";

const usage: Usage = { ...NOTHING };

/** The time of one object in which it cannot sleep. */
class Awake {
  private reasons = 0;
  private since = 0;

  begin(): void {
    if (this.reasons++ === 0) this.since = Date.now();
  }

  end(): void {
    if (--this.reasons === 0) usage.awakeMs += Date.now() - this.since;
  }

  async during<T>(body: () => Promise<T>): Promise<T> {
    this.begin();
    try {
      return await body();
    } finally {
      this.end();
    }
  }
}

/** By object, since an object's constructor asks before its fields are there. */
const awakes = new WeakMap<object, Awake>();

function awakeOf(object: object): Awake {
  const known = awakes.get(object) ?? new Awake();
  awakes.set(object, known);
  return known;
}

/** An event that expires: itself, its ref, the log's word of it, and that word's compaction. */
const ROWS_OF_EXPIRY = 4;

/** Every row of the logs is deleted once, and every event after its hour. */
function laterOf(statement: string, [first]: readonly SqlValue[]): number {
  if (/^INSERT INTO (changes|journal)/.test(statement)) return 1;
  return statement.startsWith("INSERT INTO objects") && first === "events" ? ROWS_OF_EXPIRY : 0;
}

function meteredSql(storage: DurableObjectStorage): Sql {
  const run = <Row extends Record<string, SqlValue>>(statement: string, ...parameters: SqlValue[]): Row[] => {
    const cursor = storage.sql.exec<Row>(statement, ...parameters);
    const rows = cursor.toArray();
    usage.rowsRead += cursor.rowsRead;
    usage.rowsWritten += cursor.rowsWritten;
    usage.rowsLater += laterOf(statement, parameters);
    if (cursor.rowsWritten > 0) usage.storedBytes = storage.sql.databaseSize;
    return rows;
  };
  return { all: run, run, transaction: (body) => storage.transactionSync(body) };
}

export class Cluster extends PlainCluster {
  protected override platform(): HostPlatform {
    usage.wakes++;
    const platform = super.platform();
    const awake = awakeOf(this);
    return {
      ...platform,
      sql: meteredSql(this.ctx.storage),
      defer: (body, ms) => {
        awake.begin();
        platform.defer(() => {
          try {
            body();
          } finally {
            awake.end();
          }
        }, ms);
      },
      getAlarm: () => {
        usage.rowsRead++;
        return platform.getAlarm();
      },
      setAlarm: (at) => {
        usage.rowsWritten++;
        platform.setAlarm(at);
      },
    };
  }

  override fetch(request: Request): Promise<Response> {
    usage.objectRequests++;
    return awakeOf(this).during(() => super.fetch(request));
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    usage.messages++;
    return awakeOf(this).during(() => super.webSocketMessage(socket, message));
  }

  override webSocketClose(socket: WebSocket, code: number): Promise<void> {
    return awakeOf(this).during(() => super.webSocketClose(socket, code));
  }

  override webSocketError(socket: WebSocket): Promise<void> {
    return awakeOf(this).during(() => super.webSocketError(socket));
  }

  override alarm(): Promise<void> {
    usage.alarms++;
    return awakeOf(this).during(() => super.alarm());
  }
}

/** Its time while one side waits for the other is not counted: that is a timer of its own. */
export class Relay extends PlainRelay {
  override fetch(request: Request): Promise<Response> {
    usage.objectRequests++;
    return awakeOf(this).during(() => super.fetch(request));
  }
}

export { Registry } from "../../../worker/registry.ts";

export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === METER_PATH) return Response.json(usage);
    usage.workerRequests++;
    return plain.fetch(request, env);
  },
} satisfies ExportedHandler<Env>;
