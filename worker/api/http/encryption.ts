/** `GET /skerry/encryption`: the keys that what is stored is encrypted with; `POST` makes a new one, and all is written anew. */
import { internalError } from "../../lib/status.ts";
import type { AppParts } from "../parts.ts";
import { answerJson, PLAIN } from "./answer.ts";
import type { PathGuard, Paths } from "./paths.ts";

export function encryptionRoutes(
  app: Paths,
  guard: PathGuard,
  { store, batch }: Pick<AppParts, "store" | "batch">,
): void {
  const answer = (code = 200) => {
    if (!store.keys) throw internalError("this cluster stores nothing encrypted");
    const { isRewriting: rewriting } = store.keys;
    return answerJson(JSON.stringify({ keys: store.keys.list(), rewriting }), { code, format: PLAIN });
  };
  app.get("/skerry/encryption", guard, () => answer());
  app.post("/skerry/encryption", guard, async () => {
    await batch(() => store.keys?.rotate());
    return answer(202);
  });
}
