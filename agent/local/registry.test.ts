/** The command, against a cluster that is a server of the test's. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listenAsCluster } from "../../test/support/api-server.ts";
import { collectGarbage } from "./registry.ts";

test("garbage is collected until there is no more, and told altogether", async () => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-registry-"));
  const asked: string[] = [];
  const http = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const more = asked.length < 3;
    response.end(JSON.stringify({ manifests: 1, blobs: more ? 2 : 0, uploads: 0, bytes: 5, more }));
  });
  const kubeconfig = join(folder, "kubeconfig");
  await listenAsCluster(http, kubeconfig);
  try {
    const said: string[] = [];
    const context = { home: { path: folder, port: 0 }, progress: (text: string) => void said.push(text) };
    await collectGarbage(context, { cluster: "default", kubeconfig, grace: 0 });
    expect(asked).toEqual(Array(3).fill("POST /skerry/registry/collect?grace=0"));
    expect(said).toEqual(["removed 3 manifests, 4 blobs and 0 uploads: 15 bytes"]);
    await collectGarbage(context, { cluster: "default", kubeconfig, byClock: "off" });
    expect(asked.slice(3)).toEqual(["PUT /skerry/registry/clock?to=off"]);
  } finally {
    http.close();
    rmSync(folder, { recursive: true });
  }
});
