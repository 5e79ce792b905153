/**
 * API Priority and Fairness: each request has a flow, by the FlowSchemas and PriorityLevelConfigurations that are stored.
 * https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
 */
import { FlowSchema } from "../../kinds/flowcontrol/flow-schema.ts";
import { PriorityLevelConfiguration } from "../../kinds/flowcontrol/priority-level-configuration.ts";
import type { Store } from "../../storage/store.ts";
import { cached } from "../cached.ts";
import type { RequestInfo } from "../http/request-info.ts";
import type { User } from "../request.ts";
import type { StoreView } from "../view.ts";
import { hand } from "./hand.ts";
import { type Levels, levelsOf, schemasOf } from "./levels.ts";
import { distinguisher, matchesSchema } from "./match.ts";
import { metricsOf } from "./metrics.ts";
import { type Flow, Level } from "./queues.ts";

/** A request's flow, and what its answer says of that. */
export type RequestFlow = Flow & { schemaUid: string; levelUid: string };

const MAX_KNOWN = 2000;
/** Whose key is longer is judged each time: paths are as long as clients like. */
const MAX_KEY_CHARACTERS = 1000;

type Config = { levels: Levels; schemas: readonly Readonly<FlowSchema>[] };

export class Fairness {
  readonly #view: Pick<StoreView, "list">;
  /** Those that are gone may still have someone waiting. */
  readonly #levels = new Map<string, Level>();
  /** By who asks for what. */
  readonly #known = new Map<string, RequestFlow>();
  readonly #flows = new WeakMap<Request, RequestFlow>();
  readonly #config: () => Config;

  constructor(view: Pick<StoreView, "list">, store: Pick<Store, "onChange">) {
    this.#view = view;
    const resources = [FlowSchema.groupResource, PriorityLevelConfiguration.groupResource];
    this.#config = cached(store, resources, () => this.#read());
  }

  /** What `flowOf` answers from now on. */
  classify(request: Request, user: User, info: RequestInfo): RequestFlow {
    const config = this.#config();
    const what = info.type === "path" ? [info.path] : [info.group, info.resource, info.subresource, info.namespace];
    const key = [user.name, ...user.groups, "", info.verb, ...what].join("\0");
    let flow = this.#known.get(key);
    if (!flow) {
      flow = this.#flow(config, user, info);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      if (key.length <= MAX_KEY_CHARACTERS) this.#known.set(key, flow);
    }
    this.#flows.set(request, flow);
    return flow;
  }

  flowOf(request: Request): RequestFlow | undefined {
    return this.#flows.get(request);
  }

  metrics(): string {
    this.#config();
    return metricsOf(this.#levels);
  }

  #read(): Config {
    const levels = levelsOf(this.#view.list(PriorityLevelConfiguration));
    const schemas = schemasOf(this.#view.list(FlowSchema), levels);
    this.#known.clear();
    for (const [name, { rules }] of levels) {
      const level = this.#levels.get(name);
      if (level) level.rules = rules;
      else this.#levels.set(name, new Level(rules));
    }
    for (const name of this.#levels.keys()) if (!levels.has(name)) this.#levels.delete(name);
    return { levels, schemas };
  }

  #flow({ levels, schemas }: Config, user: User, info: RequestInfo): RequestFlow {
    // The last one is for everyone; a user without any group is treated as it says too.
    const schema = schemas.find((one) => matchesSchema(one, user, info)) ?? (schemas.at(-1) as FlowSchema);
    const name = schema.spec?.priorityLevelConfiguration.name ?? "";
    const { uid = "", rules } = levels.get(name) ?? {};
    const { queues = 1, handSize = 1 } = rules?.queuing ?? {};
    const text = `${schema.metadata?.name}\0${distinguisher(schema, user, info)}`;
    return {
      level: this.#levels.get(name) as Level,
      name: text,
      hand: queues > 1 ? hand(text, queues, handSize) : [0],
      schemaUid: schema.metadata?.uid ?? "",
      levelUid: uid,
    };
  }
}
