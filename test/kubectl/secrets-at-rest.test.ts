/** Secrets on the disk of the control plane: every file of its storage is looked through. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, TestCluster } from "../support/cluster.ts";

const MARK = "mark-of-what-nobody-may-read";
/** Base64 has a group of four characters for three bytes: the mark is another text at each of three offsets. */
const HIDDEN = ["", "x", "xx"].map((before) => before + MARK);
const inBase64 = HIDDEN.map((text) => Buffer.from(text).toString("base64").slice(4, -4));

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ flags: ["--no-agent"] });
});
afterAll(async () => {
  await cluster?.stop();
});

/** Which of the texts lie in any file: the database, its log of writes that waits to be merged, and what is beside them. */
function found(...texts: string[]): string[] {
  const folder = join(cluster.home, "storage");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(1);
  const all = Buffer.concat(files.flatMap((file) => contents(join(file.parentPath, file.name))));
  return texts.filter((text) => all.includes(text));
}

/** The database takes files away that it needs no more. */
function contents(path: string): Buffer[] {
  try {
    return [readFileSync(path)];
  } catch {
    return [];
  }
}

async function restart(): Promise<void> {
  const down = await cluster.skerry("down");
  expect(down.stderr).toContain("stopped");
  await cluster.supervisorGone();
  await cluster.up();
}

const passwords = async () => {
  const { data } = await cluster.json<{ data: Record<string, string> }>("get secret s");
  return Object.values(data).map((text) => Buffer.from(text, "base64").toString());
};
const said = async (...args: string[]) => {
  const done = await cluster.skerry(...args);
  expect(done.stderr).not.toMatch(/error/i);
  return done.stdout + done.stderr;
};

describe("a Secret", () => {
  test("and the cluster's private keys lie nowhere in the clear; what is no Secret does", async () => {
    const literals = HIDDEN.map((text, at) => `--from-literal=p${at}=${text}`);
    await cluster.ok(["create", "secret", "generic", "s", ...literals]);
    await cluster.ok("label secret s changed=yes");
    await cluster.ok("create secret generic gone --from-literal=a=b");
    await cluster.ok(["annotate", "secret", "gone", `note=${MARK}`]);
    await cluster.ok("delete secret gone");
    await cluster.ok("create token default");
    const plain = "what everybody may read";
    await cluster.ok(["create", "configmap", "c", `--from-literal=a=${plain}`]);
    expect(found(MARK, ...inBase64, "PRIVATE KEY", '"d":"', plain)).toEqual([plain]);
    await restart(); // merges the log of writes
    expect(found(MARK, ...inBase64, "PRIVATE KEY", '"d":"', plain)).toEqual([plain]);
    expect(await passwords()).toEqual(HIDDEN);
  });

  test("moves to a new secret of the deployment, and the former one can go", async () => {
    expect(await said("secrets", "rotate")).toContain("a new secret stands first");
    const former = readFileSync(join(cluster.home, "secret"), "utf8").split("\n")[1];
    await restart();
    await eventually("all is written anew", async () =>
      (await said("secrets", "status")).includes("former secrets are not needed"),
    );
    expect(await said("secrets", "prune")).toContain("forgot former secrets: 1");
    expect(readFileSync(join(cluster.home, "secret"), "utf8")).not.toContain(former);
    await restart();
    expect(await passwords()).toEqual(HIDDEN);
    await cluster.ok("create token default");
  });

  test("with another secret in its place is kept, and whoever asks is told what to do", async () => {
    const path = join(cluster.home, "secret");
    const secret = readFileSync(path, "utf8");
    await cluster.skerry("down");
    await cluster.supervisorGone();
    writeFileSync(path, "another secret, of no use for what is stored\n");
    const up = cluster.up().catch(String);
    const why = await eventually("an answer", async () => {
      const { all } = await cluster.kubectl("get secrets");
      return all.includes("ServiceUnavailable") && all;
    });
    expect(why).toMatch(
      /encrypted under a former secret .* put that secret in a line of its own below the present one/,
    );
    await cluster.skerry("down");
    await up;
    writeFileSync(path, `another secret, of no use for what is stored\n${secret}`);
    await cluster.supervisorGone();
    await cluster.up();
    expect(await passwords()).toEqual(HIDDEN);
  });
});
