/** Registry: one object a cluster, the single writer of what its registry knows. Bytes do not come here. */
import { DurableObject } from "cloudflare:workers";
import { effects } from "./effects.ts";
import type { Env } from "./env.ts";
import { Facts } from "./registry/facts.ts";
import { Garbage } from "./registry/garbage.ts";
import { REGISTRY_MIGRATIONS } from "./registry/tables.ts";
import { durableSql } from "./storage/durable-sql.ts";
import { migrate } from "./storage/migrate.ts";

type Method = (...given: unknown[]) => unknown;

export class Registry extends DurableObject<Env> {
  private readonly parts: readonly object[];

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const sql = durableSql(ctx.storage);
    migrate(sql, REGISTRY_MIGRATIONS);
    const { now, uid } = effects;
    this.parts = [new Facts({ sql, now, uid }), new Garbage({ sql, now })];
  }

  /** A method of either: `registry/ask.ts`, which has their types. */
  async ask(name: string, given: unknown[]): Promise<unknown> {
    const part = this.parts.find((candidate) => name in candidate) as Record<string, Method>;
    return part[name]?.(...given);
  }
}
