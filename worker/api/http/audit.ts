/**
 * `GET /skerry/audit`: an audit.k8s.io/v1 EventList of what was recorded, guarded by RBAC as any path. Query: `since` and
 * `until` (RFC 3339), `user`, `verb`, `resource`, `namespace`, `limit`, and `continue` for the page before.
 */
import { readAudit, readQuery } from "../audit/query.ts";
import type { AppParts } from "../parts.ts";
import { answerJson, PLAIN } from "./answer.ts";
import type { PathGuard, Paths } from "./paths.ts";

export function auditRoutes(app: Paths, guard: PathGuard, { store }: Pick<AppParts, "store">): void {
  app.get("/skerry/audit", guard, (c) => {
    const page = readAudit(store.journal, readQuery(c.env.url.searchParams));
    const list = {
      kind: "EventList",
      apiVersion: "audit.k8s.io/v1",
      metadata: page.continue ? { continue: page.continue } : {},
      items: page.events,
    };
    return answerJson(JSON.stringify(list), { code: 200, format: PLAIN });
  });
}
