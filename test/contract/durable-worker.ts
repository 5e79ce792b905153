/** Runs the store contract inside a real Durable Object: one object, and so one empty database, a case. */
import type { DurableObjectNamespace, DurableObjectState } from "@cloudflare/workers-types";
import { durableSql } from "../../worker/storage/durable-sql.ts";
import { STORE_CONTRACT } from "./store.ts";

type Env = { CASES: DurableObjectNamespace };

export class Case {
  readonly #storage: DurableObjectState["storage"];

  constructor({ storage }: DurableObjectState) {
    this.#storage = storage;
  }

  async fetch(request: Request): Promise<Response> {
    const name = await request.text();
    const found = STORE_CONTRACT.find((candidate) => candidate.name === name);
    if (!found) return new Response(`no case ${name}`, { status: 404 });
    try {
      found.run(durableSql(this.#storage));
      return new Response("passed");
    } catch (error) {
      return new Response(error instanceof Error ? `${error.message}\n${error.stack}` : String(error), { status: 500 });
    }
  }
}

export default {
  async fetch(request: Request, { CASES }: Env) {
    const name = await request.text();
    return CASES.get(CASES.idFromName(name)).fetch("http://case", { method: "POST", body: name });
  },
};
