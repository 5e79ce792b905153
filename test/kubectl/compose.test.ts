/** `skerry compose`: a project's life on a real node, and what the API says of well-known ones. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, REMOVAL, TestCluster } from "../support/cluster.ts";

const TESTDATA = join(import.meta.dirname, "../../agent/compose/testdata");

let cluster: TestCluster;
let folder: string;

beforeAll(async () => {
  cluster = await TestCluster.start();
  folder = mkdtempSync(join(tmpdir(), "skerry-compose-"));
});

afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, REMOVAL);
});

const inShop = (args: string) => cluster.ok(`-n shop ${args}`);

async function compose(command: string, ...args: string[]): Promise<string> {
  const done = await cluster.skerry("compose", command, "-f", join(folder, "compose.yaml"), ...args);
  if (done.code !== 0)
    throw new Error(`skerry compose ${command} ended with ${done.code}:\n${done.stdout}${done.stderr}`);
  return done.stdout;
}

const write = (file: string) => writeFileSync(join(folder, "compose.yaml"), file);

const file = (greeting: string, more = "") => `
name: shop
services:
  web:
    image: busybox:test
    # Ends where the database is not there yet.
    command: sh -c 'wget -qO /tmp/first http://db:8080/log && echo "$$GREETING" && httpd -f -p 80 -h /tmp'
    environment: { GREETING: ${greeting} }
    depends_on: { db: { condition: service_healthy }, prepare: { condition: service_completed_successfully } }
    stop_grace_period: 1s
    ports: ["80"]
  db:
    image: busybox:test
    entrypoint: [sh, -c]
    command: ["echo born >> /data/log; sleep 3; httpd -f -p 8080 -h /data"]
    volumes: ["data:/data", "./motd:/etc/motd:ro"]
    healthcheck: { test: wget -qO- http://localhost:8080/log, interval: 1s, retries: 60 }
    secrets: [password]
    stop_grace_period: 1s
  prepare:
    image: busybox:test
    command: echo prepared
${more}
volumes: { data: { labels: { skerry.dev/size: 10Mi } } }
secrets: { password: { file: password.txt } }
`;

const OLD = "  old: { image: 'busybox:test', command: sleep 100000, stop_grace_period: 1s }";

test("services start in order, a file that changes rolls them, one that is gone is removed, and a volume stays", async () => {
  writeFileSync(join(folder, "motd"), "welcome\n");
  writeFileSync(join(folder, "password.txt"), "swordfish");
  write(file("hello", OLD));
  const first = await compose("up");
  for (const line of ["namespace/shop created", "statefulset.apps/db created", "job.batch/prepare created"])
    expect(first).toContain(`${line}\n`);
  expect(first).toMatch(/web is published at any node: 3\d+\/tcp/);
  expect(first.indexOf("deployment.apps/web created")).toBeGreaterThan(first.indexOf("statefulset.apps/db created"));
  expect(
    await inShop(
      "get pods -l app.kubernetes.io/name=web -o jsonpath={.items[*].status.containerStatuses[0].restartCount}",
    ),
  ).toBe("0");
  // No file says that the database listens there.
  expect(await inShop("exec deploy/web -- wget -qO- http://db:8080/log")).toBe("born\n");
  expect(await inShop("exec db-0 -- cat /etc/motd /run/secrets/password")).toBe("welcome\nswordfish");

  const again = await compose("up");
  expect(again.match(/ (created|configured|pruned)\n/g)).toBeNull();

  write(file("good-day"));
  const changed = await compose("up");
  expect(changed).toContain("deployment.apps/old pruned\n");
  expect(changed).toContain("deployment.apps/web configured\n");
  expect(changed).toContain("statefulset.apps/db unchanged\n");
  expect(await inShop("get deployments -o name")).toBe("deployment.apps/web\n");
  await eventually("the new one's word", async () => (await compose("logs", "web")).includes("web | good-day\n"));
  expect(await compose("ps")).toMatch(/db\s+db-0\s+1\/1\s+Running\s+0\s+\S+\s+node-a\n/);

  await compose("down");
  expect(await inShop("get pods,services,deployments,statefulsets,jobs,secrets -o name")).toBe("");
  expect(await inShop("get pvc -o name")).toBe("persistentvolumeclaim/data\n");
  await compose("up");
  expect(await inShop("exec db-0 -- cat /data/log")).toBe("born\nborn\n");
  await compose("down", "--volumes");
  await eventually("no claim is left", async () => (await inShop("get pvc -o name")) === "");
});

test("what others have made in a namespace is not taken over", async () => {
  await cluster.ok("create configmap web-conf");
  write("services:\n  web: { image: 'busybox:test', volumes: ['./conf:/conf:ro'] }\n");
  writeFileSync(join(folder, "conf"), "a");
  const done = await cluster.skerry(
    "compose",
    "up",
    "-f",
    join(folder, "compose.yaml"),
    "-p",
    "other",
    "-n",
    "default",
  );
  expect(done).toMatchObject({ code: 1, stdout: "" });
  expect(done.stderr).toContain("configmap/web-conf is in the namespace default already, and not of the project other");
});

test("what cannot be had is told with its place, and nothing is done", async () => {
  write("name: other\nservices:\n  web:\n    build: .\n    devices: [/dev/dri]\n");
  const done = await cluster.skerry("compose", "up", "-f", join(folder, "compose.yaml"));
  expect(done).toMatchObject({ code: 1, stdout: "" });
  expect(done.stderr).toContain(
    "refused: compose.yaml:4: services.web.build: nothing is built here: build it elsewhere",
  );
  expect(done.stderr).toContain(
    "refused: compose.yaml:5: services.web.devices: a pod gets a device by a device plugin",
  );
  expect((await cluster.kubectl("get namespace other")).stderr).toContain("NotFound");
});

test("the API takes what well-known applications become", async () => {
  // All in one namespace: nothing of it is stored.
  const converted = readdirSync(TESTDATA).map((name) =>
    readFileSync(join(TESTDATA, name, "converted/objects.yaml"), "utf8").replaceAll(
      `namespace: ${name}\n`,
      "namespace: default\n",
    ),
  );
  const said = await cluster.ok("apply --dry-run=server -f -", { input: converted.join("---\n") });
  const lines = said.trim().split("\n");
  expect(lines.length).toBe(converted.join("").match(/^kind:/gm)?.length);
  expect(lines.filter((line) => !line.endsWith(" (server dry run)"))).toEqual([]);
  const tried = await cluster.skerry("compose", "up", "--dry-run", "-f", join(TESTDATA, "nextcloud/compose.yaml"));
  expect(tried).toMatchObject({ code: 0, stdout: expect.stringContaining("statefulset.apps/app created (dry run)\n") });
  expect((await cluster.kubectl("get namespace nextcloud")).stderr).toContain("NotFound");
});
