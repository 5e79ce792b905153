/** Every command of the README and of the pages in `docs`, typed in their order by somebody who reads them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MENU, pageOf } from "../../docs/site/pages.ts";
import { type Block, blocksOf, type Command, ROOT, read } from "../docs/page.ts";
import { Reader } from "../docs/reader.ts";
import { TestCluster } from "../support/cluster.ts";
import { writeBusyboxImage } from "../support/image.ts";
import { joinArguments, type Lan, Machine, makeLan } from "../support/machine.ts";
import { checked, ensurePackages } from "../support/programs.ts";

/** What the pages run; no registry is asked for it. */
const IMAGE = "docker.io/library/busybox:1.36";
/** Where packages are installed already; a fresh clone does that first. */
const NPM_START = ["npm", "start", "--silent", "--ignore-scripts", "--"] as const;

const order = ["README.md", ...MENU.flatMap(({ pages }) => pages).map((name) => `docs/${name}.md`)];
const blocks = new Map(order.map((page) => [page, blocksOf(page, read(page))]));

let lan: Lan;
let cluster: TestCluster;
let nodeB: Machine;
let atA: Reader;
let atB: Reader;
let joining = "";

beforeAll(async () => {
  await ensurePackages({ curl: "curl", openssl: "openssl" });
  lan = await makeLan();
  const flags = ["--node-name", "node-a", "--node-ip", lan.host];
  cluster = await TestCluster.start({ flags, starter: NPM_START });
  nodeB = await Machine.make("node-b", lan, 2);
  cluster.machines.push(nodeB);
  const archive = join(cluster.home, "image.tar");
  await writeBusyboxImage(archive, { tag: IMAGE });
  expect(await cluster.nerdctl("load", "-i", archive)).toMatchObject({ code: 0 });
  const { KUBECONFIG: _, ...environment } = cluster.environment;
  atA = new Reader({ folder: join(cluster.home, "reader"), environment, replaced });
  for (const { file, text } of [...blocks.values()].flat()) if (file) atA.write(file, text);
  const within = ["nsenter", `--net=/var/run/netns/${nodeB.namespace}`];
  const itsEnvironment = { ...process.env, SKERRY_HOME: nodeB.home };
  atB = new Reader({ folder: join(nodeB.home, "reader"), environment: itsEnvironment, within, replaced });
});
afterAll(async () => {
  await cluster?.stop();
  await lan?.remove();
});

/** The documentation's places, and where they are here. */
function replaced(text: string): string {
  return text
    .replaceAll("/var/lib/skerry", cluster.home)
    .replaceAll("/etc/skerry", join(cluster.home, "reader/etc"))
    .replaceAll("kubelet.yaml", join(cluster.home, "reader/kubelet.yaml"))
    .replaceAll("192.0.2.2:6443", `${lan.host}:${cluster.port}`)
    .replaceAll("192.0.2.2", lan.host)
    .replaceAll("192.0.2.3", nodeB.address);
}

/** What starts something that stays is not waited for to end. The first `npm start` has made the cluster. */
let isUp = true;
async function type(command: Command, { on = "node-a", fails }: Block): Promise<void> {
  if (/^npm start\b/.test(command.text)) return isUp ? undefined : cluster.up();
  if (command.text.startsWith("skerry up ")) return isConfigured ? undefined : startConfigured();
  if (command.text.startsWith("skerry join ")) return joinIt();
  const printed = await (on === "node-b" ? atB : atA).type(command, fails !== undefined);
  if (command.text === "skerry token create") joining = printed;
  isUp &&= command.text !== "skerry down";
}

/** All flags of `skerry up` on the pages, at once: a start for each takes long. */
let isConfigured = false;
async function startConfigured(): Promise<void> {
  isConfigured = true;
  const starts = [...blocks.values()].flat().filter(({ notRun, runBy }) => !notRun && !runBy);
  const flags = starts
    .flatMap(({ commands }) => commands.map(({ text }) => /^skerry up (.*)/.exec(text)?.[1]))
    .filter((text) => text !== undefined);
  const words = await checked("bash", ["-c", flags.map((text) => `printf '%s\\n' ${replaced(text)}`).join("\n")]);
  expect(await cluster.skerry("down")).toMatchObject({ code: 0 });
  await cluster.up(words.stdout.trim().split("\n"));
}

async function joinIt(): Promise<void> {
  await nodeB.join(joinArguments(joining, lan));
  const archive = join(cluster.home, "image.tar");
  expect(await nodeB.nerdctl("load", "-i", archive)).toMatchObject({ code: 0 });
}

const counted = { run: 0, elsewhere: 0 };
const notRun: string[] = [];

test.each(order)("%s", async (page) => {
  for (const block of blocks.get(page) ?? []) {
    const { commands, notRun: why, runBy, line } = block;
    if (why) notRun.push(...commands.map(({ text }) => `${page}:${line}: ${text}: ${why}`));
    else if (runBy) counted.elsewhere += commands.length;
    else
      for (const command of commands) {
        try {
          await type(command, block);
        } catch (error) {
          throw new Error(`${page}:${line}: ${(error as Error).message}`);
        }
        counted.run++;
      }
  }
});

test("the site is built of them, and its links lead to what is there", async () => {
  const site = join(ROOT, "docs/dist");
  await checked("npm", ["run", "--silent", "docs", "--ignore-scripts"], { cwd: ROOT });
  const built = readdirSync(site, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
  for (const page of order) expect(built).toContain(pageOf(page));
  const lost = built.flatMap((page) =>
    [...readFileSync(join(site, page), "utf8").matchAll(/ (?:href|src)="(?![a-z]+:)([^"#]+)/g)]
      .filter(([, way = ""]) => !existsSync(join(site, dirname(page), way)))
      .map(([link]) => `${page}:${link}`),
  );
  expect(lost).toEqual([]);
});

test("what was not run is told", () => {
  const { run, elsewhere } = counted;
  process.stdout.write(`docs: ${run} commands run, ${elsewhere} by tests of their own, ${notRun.length} not run:\n`);
  for (const line of notRun) process.stdout.write(`docs:   ${line}\n`);
  expect(run).toBeGreaterThan(0);
});
