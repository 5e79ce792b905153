import { badRequest } from "./status.ts";

/** The JSON object that a body is; throws the 400 where it is none. */
export function jsonObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // said below
  }
  throw badRequest("the body must be a JSON object");
}
