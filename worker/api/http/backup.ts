/**
 * `GET /skerry/backup` is the cluster's whole state, secrets and keys among it, as `lib/backup-format.ts` says; `POST
 * /skerry/restore` takes one part of it. Whoever may do either is an administrator: RBAC knows them by their paths.
 */
import type { Context } from "hono";
import { BackupError, openPart } from "../../lib/backup-format.ts";
import type { Ranges } from "../../lib/config.ts";
import { timestamp } from "../../lib/effects.ts";
import { badRequest } from "../../lib/status.ts";
import { backupLines, backupStream, type Hold } from "../backup/backup.ts";
import { receivePart } from "../backup/restore.ts";
import { cameBack, goBack, momentAt, type Past } from "../backup/rewind.ts";
import type { AppParts } from "../parts.ts";
import { readBody } from "./body.ts";
import type { PathGuard, Paths } from "./paths.ts";
import { version } from "./version.ts";

export type BackupParts = {
  cluster: { id: string; name: string };
  ranges: Ranges;
  /** Keeps the log back to a revision. */
  hold(revision: number): Hold;
  /** What memory holds is not so any more: see `RestoreParts`. */
  restored(): void;
  /** The revision that this memory began with. */
  began: number;
  past?: Past;
};

export function backupRoutes(app: Paths, guard: PathGuard, parts: AppParts & { backups: BackupParts }): void {
  const { store, effects, backups, batch } = parts;
  const { cluster, ranges } = backups;
  app.get("/skerry/backup", guard, () => {
    const about = {
      kubernetes: version.gitVersion,
      cluster,
      time: timestamp(effects.now()),
    };
    const stream = backupStream(
      backupLines({ store, ranges, about }),
      (body) => batch(body),
      backups.hold(store.revision()),
    );
    return new Response(stream, { headers: { "content-type": "application/x-ndjson" } });
  });
  app.post("/skerry/restore", guard, async (c) => {
    const options = optionsOf(c);
    const part = await opened(options.after, (await readBody(c.req.raw)).bytes);
    return c.json(await batch(() => receivePart({ store, effects, restored: backups.restored }, part, options)));
  });
}

/** `GET /skerry/moment` asks, `POST /skerry/rewind` goes, and `POST /skerry/rewound` is the first word after it. */
export function rewindRoutes(app: Paths, guard: PathGuard, parts: AppParts & { backups: BackupParts }): void {
  const { store, effects, backups, batch } = parts;
  app.get("/skerry/moment", guard, async (c) =>
    c.json(await momentAt(backups.past, store, Date.parse(c.req.query("at") ?? ""), effects.now())),
  );
  app.post("/skerry/rewind", guard, async (c) => {
    await goBack(backups.past, store, c.req.query("bookmark") ?? "", Number(c.req.query("revision")));
    return c.json({});
  });
  app.post("/skerry/rewound", guard, async (c) => {
    const revision = await batch(() => {
      const isNews = cameBack(store, backups.began, Number(c.req.query("revision")));
      if (isNews) backups.restored();
      return store.revision();
    });
    return c.json({ revision });
  });
}

function optionsOf(c: Context) {
  const { id, after = "", replace, fork } = c.req.query();
  if (!id) throw badRequest("id is required: a name for this restore that no other has had");
  return { id, after, replace: replace === "true", fork: fork === "true" };
}

async function opened(after: string, bytes: Uint8Array) {
  try {
    return await openPart(after, new Uint8Array(bytes));
  } catch (error) {
    throw error instanceof BackupError ? badRequest(error.message) : error;
  }
}
