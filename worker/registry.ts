/** Registry: one object a cluster, the single writer of what its registry knows. Bytes come here only to be removed. */
import { DurableObject } from "cloudflare:workers";
import { bucketOf } from "./edge/bucket.ts";
import { effects } from "./effects.ts";
import type { Env } from "./env.ts";
import { CLUSTER_HEADER, INTERNAL_HEADER } from "./lib/internal-headers.ts";
import { askOver } from "./registry/ask.ts";
import { CollectionClock } from "./registry/clock.ts";
import { collect } from "./registry/collect.ts";
import { Facts, GRACE_MS } from "./registry/facts.ts";
import { Garbage } from "./registry/garbage.ts";
import { folderOf } from "./registry/parts.ts";
import { Quotas } from "./registry/quotas.ts";
import { REGISTRY_MIGRATIONS } from "./registry/tables.ts";
import { durableSql } from "./storage/durable-sql.ts";
import { migrate } from "./storage/migrate.ts";

type Method = (...given: unknown[]) => unknown;

export class Registry extends DurableObject<Env> {
  private readonly parts: readonly object[];
  private readonly clock: CollectionClock;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const sql = durableSql(ctx.storage);
    migrate(sql, REGISTRY_MIGRATIONS);
    const { now, uid } = effects;
    const quotas = new Quotas(sql);
    const garbage = new Garbage({ sql, now });
    this.clock = new CollectionClock({
      storage: ctx.storage,
      now,
      collect: (cluster) => this.collect(cluster),
      mayRemain: () => garbage.mayRemain(),
      log: (message) => console.warn(message),
    });
    this.parts = [new Facts({ sql, now, uid, quotas }), garbage, quotas, this.clock];
  }

  /** A method of these: `registry/ask.ts`, which has their types. */
  async ask(cluster: string, name: string, given: unknown[]): Promise<unknown> {
    const part = this.parts.find((candidate) => name in candidate) as Record<string, Method>;
    const answer = await part[name]?.(...given);
    await this.clock.asked(cluster, name);
    return answer;
  }

  override async alarm(): Promise<void> {
    await this.clock.alarm();
  }

  private async collect(cluster: string): Promise<{ more: boolean }> {
    const { CLUSTER } = this.env;
    const bucket = bucketOf(this.env);
    if (!bucket) return { more: false };
    const headers = { [CLUSTER_HEADER]: cluster, [INTERNAL_HEADER]: "images" };
    const answer = await CLUSTER.get(CLUSTER.idFromName(cluster)).fetch(new Request("https://cluster/", { headers }));
    if (!answer.ok) throw new Error(`the cluster does not say what runs: ${answer.status}`);
    const { used } = (await answer.json()) as { used: string[] };
    return collect({ bucket, folder: folderOf(cluster, this.ctx.id), ask: askOver(this, cluster) }, used, GRACE_MS);
  }
}
