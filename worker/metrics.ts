/** Metrics: one object a cluster, which keeps figures over time. Nodes' words wake it, and nothing else of the cluster. */
import { DurableObject } from "cloudflare:workers";
import { effects } from "./effects.ts";
import type { Env } from "./env.ts";
import { type Reply, reply } from "./metrics/ask.ts";
import { Chunks } from "./metrics/chunks.ts";
import { METRICS_MIGRATIONS } from "./metrics/tables.ts";
import { durableSql } from "./storage/durable-sql.ts";
import { migrate } from "./storage/migrate.ts";

export class Metrics extends DurableObject<Env> {
  private readonly chunks: Chunks;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const sql = durableSql(ctx.storage);
    migrate(sql, METRICS_MIGRATIONS);
    this.chunks = new Chunks({ sql, now: effects.now });
  }

  /** A method of `Chunks`, whose types `askOver` has. */
  async ask(name: keyof Chunks, given: unknown[]): Promise<Reply> {
    return reply(this.chunks, name, given);
  }
}
