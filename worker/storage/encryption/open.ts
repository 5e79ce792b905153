import { Settings } from "../settings.ts";
import type { Sql } from "../store.ts";
import { DataKeys, type Encryption } from "./data-keys.ts";
import { Sealing } from "./sealing.ts";

/** What seals and opens in a database. Without `encryption` it has no keys, and all is stored in the clear. */
export function openSealing(sql: Sql, encryption?: Encryption): { keys?: DataKeys; sealing: Sealing } {
  if (!encryption) return { sealing: new Sealing() };
  const keys = new DataKeys(new Settings(sql, new Sealing()), encryption);
  return { keys, sealing: new Sealing(keys, encryption.settings) };
}
