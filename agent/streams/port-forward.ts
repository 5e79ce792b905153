import type { Served } from "./serve.ts";

export async function servePortForward(_: Served): Promise<void> {
  throw new Error("port-forward is not served yet");
}
