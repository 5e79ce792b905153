import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join as inFolder } from "node:path";
import { expect, test } from "vitest";
import { files } from "./home.ts";
import { join, readIdentity } from "./join.ts";

test("a disk that becomes another node keeps no WireGuard key, and one that joins again as it was does", async () => {
  const home = mkdtempSync(inFolder(tmpdir(), "skerry-join-"));
  const api = createServer((request, response) => {
    request.resume();
    response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify({ token: "credential" }));
  });
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  const server = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const { wireguardKey } = files(home);
  const keeps = async (node: string) => {
    writeFileSync(wireguardKey, "key");
    await join(home, { server, token: "token", node });
    expect(readIdentity(home)).toEqual({ server, node, token: "credential" });
    return existsSync(wireguardKey);
  };
  expect([await keeps("a"), await keeps("a"), await keeps("b")]).toEqual([false, true, false]);
  api.close();
  rmSync(home, { recursive: true });
});
