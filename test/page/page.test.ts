/** The page in a real browser, against a whole cluster. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe, { type AxeResults } from "axe-core";
import type { Locator, Page } from "playwright-core";
import { decodeQR } from "qr/decode.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { picture, type Tab, TestBrowser } from "../support/browser.ts";
import { eventually, REMOVAL, TestCluster } from "../support/cluster.ts";
import { Issuer, makeKey } from "../support/issuer.ts";

let cluster: TestCluster;
let browser: TestBrowser;
let address = "";
let token = "";
let issuer: Issuer;
let folder: string;
beforeAll(async () => {
  browser = await TestBrowser.start();
  issuer = await Issuer.start(await makeKey("RS256", "one"));
  folder = mkdtempSync(join(tmpdir(), "skerry-page-"));
  const ca = join(folder, "issuer.crt");
  writeFileSync(ca, issuer.ca);
  issuer.secret = "of-the-control-plane";
  const clients = join(folder, "clients.yaml");
  writeFileSync(clients, `${issuer.url}: { name: the issuer, clientSecret: ${issuer.secret} }`);
  const known = ["--oidc-issuer-url", issuer.url, "--oidc-client-id", "skerry", "--oidc-ca-file", ca];
  const login = [...known, "--login-clients", clients];
  cluster = await TestCluster.start({ flags: ["--node-name", "node-a", ...login, "--oidc-username-prefix", "oidc:"] });
  [address = "", token = ""] = (await cluster.skerry("page")).stdout.split("\n").filter((line) => /^\S+$/.test(line));
  address = address.replace("127.0.0.1", browser.host);
  await cluster.apply(WEB);
  await cluster.ok("run shell --image=busybox:test --command -- sleep 3600");
  await cluster.ok("rollout status deployment web");
  await cluster.ok("wait --for=condition=Ready pod/shell");
});
afterAll(async () => {
  await browser?.stop();
  await cluster?.stop();
  issuer?.stop();
  if (folder) rmSync(folder, REMOVAL);
});

const program = (words: string) => `[sh, -c, "trap 'exit 0' TERM; while :; do echo ${words}; sleep 1; done"]`;
const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "busybox:test", command: ${program("first edition")}}
`;

async function logIn({ page }: Tab, with_ = token): Promise<void> {
  await page.getByLabel("Token").fill(with_);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
}

async function loggedIn(options?: { phone?: boolean; dark?: boolean }): Promise<Tab> {
  const tab = await browser.open(address, options);
  await logIn(tab);
  await tab.page.getByRole("heading", { name: "Overview" }).waitFor();
  return tab;
}

/** Axe's findings that keep somebody from using the page. */
async function serious(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate("axe.run()")) as AxeResults;
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** What a camera reads of what is shown: the pixels are taken apart in a page whose policy allows that. */
async function scanned(page: Page, code: Locator): Promise<string> {
  const png = (await code.screenshot()).toString("base64");
  const blank = await page.context().newPage();
  const image = await blank.evaluate<{ width: number; height: number; data: number[] }>(`(async () => {
    const bytes = await (await fetch("data:image/png;base64,${png}")).blob();
    const { width, height } = await createImageBitmap(bytes);
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(await createImageBitmap(bytes), 0, 0);
    return { width, height, data: [...context.getImageData(0, 0, width, height).data] };
  })()`);
  await blank.close();
  return decodeQR({ ...image, data: Uint8Array.from(image.data) });
}

test("a wrong token is refused in the API's words, the right one is kept out of addresses and cookies", async () => {
  const tab = await browser.open(address.replace("/ui/", "/"));
  await logIn(tab, "wrong");
  await tab.page.getByRole("alert").getByText("Unauthorized").waitFor();
  await logIn(tab);
  await tab.page.getByRole("heading", { name: "Overview" }).waitFor();
  expect(tab.page.url()).toBe(`${address}`);
  expect(await tab.page.context().cookies()).toEqual([]);
  await tab.page.reload();
  await tab.page.getByRole("heading", { name: "Overview" }).waitFor();
  await tab.page.getByRole("button", { name: "Log out" }).click();
  await tab.page.getByLabel("Token").waitFor();
  expect(await tab.page.evaluate("JSON.stringify([sessionStorage, localStorage])")).toBe("[{},{}]");
  expect(tab.faults).toEqual([]);
});

test("a rollout is seen as it happens, paused and undone; its pods' logs are followed", async () => {
  const { page, faults } = await loggedIn();
  await page.getByRole("link", { name: "Workloads" }).click();
  await page.getByRole("row", { name: "web" }).getByText("as wanted").waitFor();
  await page.getByRole("link", { name: "web", exact: true }).click();
  await page.getByRole("button", { name: "Follow log" }).click();
  await page.getByText("first edition").first().waitFor();

  await page.getByLabel("Replicas").fill("3");
  await page.getByRole("button", { name: "Scale" }).click();
  await page.getByText("3 pods").waitFor();
  await cluster.apply(WEB.replace("first edition", "second edition").replace("replicas: 2", "replicas: 3"));
  await page.getByText("second edition").first().waitFor();
  await page.getByText("as wanted").waitFor();
  await picture(page, "workload", 800);

  page.on("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: "Undo" }).click();
  await eventually("the first edition again", async () =>
    (await cluster.ok("get deployment web -o yaml")).includes("echo first edition"),
  );
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("paused").waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText("as wanted").waitFor();
  expect(faults).toEqual([]);
});

test("a terminal: typed into, pasted into, resized, ended, and harmless whatever is printed there", async () => {
  const { page, faults } = await loggedIn();
  await page.goto(`${address}#/pods/default/shell`);
  await page.getByRole("button", { name: "Open terminal" }).click();
  const input = page.getByRole("textbox", { name: "Terminal input" });
  await input.waitFor();
  await page.keyboard.type("echo $((6 * 7))-answers\n");
  const screen = page.locator(".xterm-rows");
  await screen.getByText("42-answers").waitFor();
  await page.keyboard.type("stty size\n");
  await screen.getByText(/^\d\d+ \d\d+$/).waitFor();
  const colours = "\\033[38;2;201;202;203mcoloured\\033[0m \\033]0;<b>title</b>\\007 <img src=x onerror=alert(1)>";
  const pasted = `printf '${colours}\\n'; echo pasted-$((1 + 1))\n`;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(pasted)})`);
  await page.keyboard.press("Control+V");
  await screen.getByText("pasted-2").waitFor();
  const style = await screen.getByText("coloured", { exact: true }).getAttribute("style");
  expect(style).toContain("color: rgb(201, 202, 203)");
  expect(await page.locator("main img").count()).toBe(0);
  expect(await page.title()).not.toContain("title");
  expect(await serious(page)).toEqual([]);
  await page.keyboard.press("F6");
  expect(await page.getByRole("button", { name: "Close terminal" }).evaluate((it) => it.matches(":focus"))).toBe(true);
  await input.focus();
  await page.keyboard.type("exit 3\n");
  await page.getByText("The shell has ended with exit code 3.").waitFor();
  expect(faults).toEqual([]);
});

test("files go up and come down, a folder as an archive, and what tar says of others is told", async () => {
  const { page, faults } = await loggedIn();
  await page.goto(`${address}#/pods/default/shell`);
  const name = "<b>né à</b>.txt";
  const buffer = Buffer.from("some words\n".repeat(20_000));
  await page.getByLabel("File", { exact: true }).setInputFiles({ name, mimeType: "text/html", buffer });
  await page.getByRole("button", { name: "Upload" }).click();
  await page.getByText(`${name} is in /tmp.`).waitFor();
  const bring = async (path: string) => {
    await page.getByLabel("Path in shell").fill(path);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download" }).click(),
    ]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    return { as: download.suggestedFilename(), bytes: Buffer.concat(chunks) };
  };
  expect((await bring(`/tmp/${name}`)).bytes.equals(buffer)).toBe(true);
  const { as, bytes } = await bring("/tmp/");
  expect([as, bytes.includes(buffer)]).toEqual(["tmp.tar", true]);
  await page.getByLabel("Path in shell").fill("/none/such");
  await page.getByRole("button", { name: "Download" }).click();
  await page.getByRole("alert").getByText("No such file").waitFor();
  expect(faults).toEqual([]);
});

test("what a pod serves is shown in a tab at a host of its own, from where neither the page nor its token is in reach", async () => {
  await cluster.apply(TELLING);
  await cluster.ok("wait --for=condition=Ready pod/telling");
  const { page } = await browser.open(address.replace(browser.host, "localhost"));
  await logIn({ page, faults: [] });
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.goto(`${address.replace(browser.host, "localhost")}#/pods/default/telling`);
  const show = async () => {
    const [tab] = await Promise.all([
      page.context().waitForEvent("page"),
      page.getByRole("button", { name: "Open", exact: true }).click(),
    ]);
    return tab;
  };
  const tab = await show();
  await tab.getByText("seen: ").waitFor();
  const { host, origin } = new URL(tab.url());
  expect(host).toMatch(/^fwd-[0-9a-f]{32}\.skerry\.localhost:\d+$/);
  const api = new URL(address.replace(browser.host, "localhost")).origin;
  const seen = JSON.parse(((await tab.locator("pre").textContent()) ?? "").slice("seen: ".length));
  expect(seen).toEqual({
    opener: null,
    storage: "[{},{}]",
    cookie: "",
    referrer: "",
    told: "theirs=1",
    api: "refused",
  });
  // What is the API's by path is the pod's there.
  expect((await tab.goto(`${origin}/api/v1/namespaces`))?.status()).toBe(404);
  expect(await page.evaluate("document.cookie")).toBe("");
  expect((await page.context().cookies(api)).length).toBe(0);
  // The host is no Ingress's and not the API's, whoever asks.
  await cluster.ok(["create", "ingress", "taker", `--rule=${new URL(origin).hostname}/*=taker:80`]);
  const stranger = await browser.open(origin);
  await stranger.page.getByText("open it anew from the cluster's page").waitFor();
  const asAdministrator = `fetch("/api/v1/namespaces", { headers: { authorization: "Bearer ${token}" } })`;
  expect(await stranger.page.evaluate(`${asAdministrator}.then(({ status }) => status)`)).toBe(403);
  await tab.goto(origin);
  await tab.getByText("seen: ").waitFor();
  await cluster.ok("delete ingress taker");
  await cluster.ok("delete pod telling --now");
  await tab.goto(origin);
  await tab.getByText('pods "telling" not found').waitFor();
});

/** Its page tells by a script what it gets hold of. */
const TELLING = `
apiVersion: v1
kind: Pod
metadata: {name: telling, namespace: default}
spec:
  containers:
  - name: telling
    image: "busybox:test"
    ports: [{name: http, containerPort: 8080}]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
    command:
    - sh
    - -c
    - |
      mkdir -p /www/cgi-bin
      cat > /www/cgi-bin/told <<'END'
      #!/bin/sh
      printf 'content-type: text/plain\\r\\n\\r\\n%s' "$HTTP_COOKIE"
      END
      chmod +x /www/cgi-bin/told
      cat > /www/index.html <<'END'
      <pre></pre><script>
      (async () => {
        const seen = { opener, storage: JSON.stringify([sessionStorage, localStorage]), cookie: document.cookie };
        seen.referrer = document.referrer;
        document.cookie = "theirs=1";
        seen.told = await (await fetch("/cgi-bin/told")).text();
        const api = "https://localhost:" + location.port + "/api/v1/namespaces";
        seen.api = await fetch(api, { credentials: "include" }).then(() => "answered", () => "refused");
        document.querySelector("pre").textContent = "seen: " + JSON.stringify(seen);
      })();
      </script>
      END
      exec httpd -f -p 8080 -h /www
`;

test("a Service has who answers for it, and a public address by one switch", async () => {
  await cluster.ok("create service clusterip answers --tcp=80:80");
  await cluster.ok("label pod shell app=answers");
  const { page, faults } = await loggedIn();
  await page.getByRole("link", { name: "Network" }).click();
  await page.getByRole("row", { name: "answers" }).getByText("1 of 1").waitFor();
  await page.getByRole("link", { name: "answers", exact: true }).click();
  await page.getByRole("row", { name: "shell" }).getByText("Ready").waitFor();
  await page.getByLabel("Host name").fill("answers.example.com");
  await page.getByRole("button", { name: "Make public" }).click();
  await page.getByRole("link", { name: "answers.example.com/" }).waitFor();
  expect(await cluster.ok("get ingresses")).toContain("answers.example.com");
  page.on("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: "Take public address away" }).click();
  await page.getByLabel("Host name").waitFor();
  expect(await cluster.ok("get ingresses -o name")).toBe("");
  await page.getByText("Requests by Ingresses and routes: 0.0 a second.").waitFor();
  expect(faults).toEqual([]);
});

const SITE = "site.example.com";
const SITE_OBJECTS = `
apiVersion: v1
kind: Pod
metadata: {name: front, namespace: default, labels: {app: front}}
spec:
  containers:
  - name: front
    image: "busybox:test"
    command:
    - sh
    - -c
    - |
      mkdir -p /www/cgi-bin; echo hello >/www/index.html
      cat >/www/cgi-bin/busy <<'END'
      #!/bin/sh
      printf 'Status: 503 Busy\\r\\n\\r\\nbusy'
      END
      chmod +x /www/cgi-bin/busy
      exec httpd -f -p 8080 -h /www
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: default}
spec: {selector: {app: front}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: default}
spec:
  rules:
  - host: ${SITE}
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: front, port: {number: 80}}}}]}
`;

/** One request to the edge for the site's host; the answer's status. */
function visit(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(address);
    const options = { hostname, port, path, agent: false, rejectUnauthorized: false, servername: SITE };
    request({ ...options, headers: { host: SITE } }, (response) => {
      response.on("error", reject).on("end", () => resolve(response.statusCode ?? 0));
      response.resume();
    })
      .on("error", reject)
      .end();
  });
}

test("what comes by an Ingress is shown: how much, how much of it failed, how long it took and who answered", async () => {
  await cluster.apply(SITE_OBJECTS);
  await eventually("the site answers", async () => (await visit("/")) === 200);
  expect(await visit("/cgi-bin/busy")).toBe(503);
  const { page, faults } = await loggedIn();
  const rows = { service: /^front default ClusterIP/, ingress: /^front default site\.example\.com/ };
  /** Figures are of half a minute, so that requests go on until they are seen. */
  const shown = async (name: RegExp, place: string) => {
    await page.goto(`${address}#/${place}`);
    await expect
      .poll(
        async () => {
          for (const path of ["/", "/", "/cgi-bin/busy"]) await visit(path);
          return (await page.getByRole("row", { name }).getByRole("cell").allTextContents()).join(" | ");
        },
        { timeout: 120_000 },
      )
      .toMatch(/\d\.\d \| [1-9]\d* % \| [\d.]+ m?s, [\d.]+ m?s/);
  };
  await shown(rows.service, "network");
  await shown(rows.ingress, "network");
  await shown(/^front 10\./, "network/default/front");
  await page.getByText(/Requests by Ingresses and routes: \d+\.\d a second\. \d+ % failed;/).waitFor();
  await shown(/^front 10\./, "network/ingresses/default/front");
  await page.getByRole("heading", { name: "front Ingress in default" }).waitFor();
  await page.getByText(`Of ${SITE}.`).waitFor();
  expect(await serious(page)).toEqual([]);
  expect(faults).toEqual([]);
});

test("who may see one namespace is shown that one, and what they may not see is told", async () => {
  await cluster.ok("create namespace shop");
  await cluster.ok("create serviceaccount clerk -n shop");
  await cluster.ok("create rolebinding clerk -n shop --clusterrole=view --serviceaccount=shop:clerk");
  await cluster.ok(["run", "till", "-n", "shop", "--image=busybox:test", "--restart=Never", "--", "sleep", "3600"]);
  const tab = await browser.open(address);
  await logIn(tab, (await cluster.ok("create token clerk -n shop")).trim());
  const { page, faults } = tab;
  await page.getByRole("link", { name: "shop/till" }).waitFor();
  await page.getByText("Not all is shown").click();
  await page.getByText('cannot list resource "nodes"').waitFor();
  const chooser = page.getByLabel("Namespace", { exact: true });
  expect(await chooser.inputValue()).toBe("shop");
  await page.getByRole("link", { name: "Workloads" }).click();
  await page.getByRole("link", { name: "till" }).click();
  await page.getByRole("heading", { name: "till pod in shop" }).waitFor();
  await page.getByRole("link", { name: "Workloads" }).click();
  await chooser.fill("default");
  await chooser.press("Enter");
  await page.getByText("Not all is shown: some of it you may not see in this namespace.").waitFor();
  await page.reload();
  await expect.poll(() => chooser.inputValue()).toBe("default");
  await chooser.fill("shop");
  await chooser.press("Enter");
  await page.getByRole("link", { name: "till" }).waitFor();
  expect(faults).toEqual([]);
});

test("somebody is invited with a role and refused again; the audit log tells who did it", async () => {
  const { page, faults } = await loggedIn();
  await page.getByRole("link", { name: "People" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("guest");
  await page.getByRole("button", { name: "Invite" }).click();
  const given = await page.getByLabel("it is shown this once").inputValue();
  const guest = await browser.open(address);
  await logIn(guest, given);
  await guest.page.getByText(/^system:serviceaccount:default:guest-\w+$/).waitFor();
  const row = page.getByRole("row", { name: "guest" }).filter({ hasText: "view in default" });
  page.on("dialog", (dialog) => dialog.accept());
  await row.getByRole("button", { name: "Revoke" }).click();
  await row.waitFor({ state: "detached" });
  await expect.poll(() => cluster.ok("get serviceaccounts,rolebindings")).not.toContain("guest");
  await guest.page.reload();
  // What the page asked meanwhile may have logged it out before.
  await logIn(guest, given);
  await guest.page.getByRole("alert").getByText("Unauthorized").waitFor();
  await page.getByRole("button", { name: "Show audit log" }).click();
  await page
    .getByText(/serviceaccounts\/guest-\w+\/token/)
    .first()
    .waitFor();
  expect(faults).toEqual([]);
});

test("what is wrong is told with its cause, and goes when it is mended", async () => {
  const { page, faults } = await loggedIn();
  await cluster.ok("run lost --image=nowhere.invalid/lost:1");
  const item = page.getByRole("listitem").filter({ hasText: "Pod default/lost" });
  await item.getByText("cannot be pulled").waitFor();
  await picture(page, "overview", 560);
  await cluster.ok("delete pod lost");
  await item.waitFor({ state: "detached" });
  expect(faults).toEqual([]);
});

/** The node is away for a minute: what asks nothing of it runs beside that. */
describe.concurrent("while a node is away", () => {
  test("that it goes offline and comes back is seen as it happens", async ({ expect }) => {
    const { page, faults } = await loggedIn();
    const agent = cluster.pid("agent");
    expect(agent).toBeGreaterThan(1);
    process.kill(agent, "SIGSTOP");
    try {
      // The silence of a cluster's only node is found by the next request.
      await eventually("it is shown as offline", async () => {
        await cluster.ok("get nodes");
        return page.getByRole("heading", { name: "node-a Offline" }).isVisible();
      });
      await page.getByText("Node node-a").waitFor();
    } finally {
      process.kill(agent, "SIGCONT");
    }
    await eventually("it is shown as ready", () => page.getByRole("heading", { name: "node-a Ready" }).isVisible());
    expect(faults).toEqual([]);
  });

  test("any object is changed as YAML: checked by its kind's description and by the cluster, then applied", async ({
    expect,
  }) => {
    const words = ["--from-literal=greeting=hello", "--from-literal=loud=yes", "--from-literal=old=1"];
    await cluster.ok(["create", "configmap", "words", ...words]);
    const { page, faults } = await loggedIn();
    await page.getByRole("link", { name: "Everything" }).click();
    await page.getByLabel("Kind").selectOption({ label: "ConfigMap" });
    await page.getByRole("link", { name: "words" }).click();
    const editor = page.getByLabel("YAML");
    await expect.poll(() => editor.inputValue()).toContain("greeting: hello");
    await page.getByRole("button", { name: "Suggest" }).waitFor();
    const before = await editor.inputValue();

    await editor.fill(before.replace("greeting: hello", "greeting: 7"));
    await page.getByText("data.greeting must be a string, not an integer").waitFor();
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByRole("alert").getByText("Not sent").waitFor();
    await page.getByRole("button", { name: "Send it all the same" }).click();
    await page.getByRole("alert").getByText("greeting: expected string").waitFor();

    const changed = (text: string) =>
      text.replace("greeting: hello", "greeting: <b>bye</b>").replace(/^ +old: .*\n/m, "");
    await editor.fill(changed(before));
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByRole("status").getByText("+ ").first().waitFor();
    await cluster.ok("label configmap words seen=by-another");
    await page.getByRole("button", { name: "Apply", exact: true }).click();
    const conflicts = page.getByRole("alert");
    await conflicts.getByText("data.greeting is set by kubectl-create").waitFor();
    await conflicts.getByText("data.old is kept by kubectl-create, and you removed it").waitFor();
    expect(await serious(page)).toEqual([]);
    await page.getByRole("button", { name: "Leave theirs" }).click();
    await expect.poll(() => editor.inputValue()).toContain("by-another");
    const now = await editor.inputValue();
    expect(now).toContain("greeting: hello");
    await editor.fill(changed(now));
    await page.getByRole("button", { name: "Apply", exact: true }).click();
    await page.getByRole("button", { name: "Take over" }).click();
    await page.getByText("Applied.").waitFor();
    expect(JSON.parse(await cluster.ok("get configmap words -o jsonpath={.data}"))).toEqual({
      greeting: "<b>bye</b>",
      loud: "yes",
    });
    // What is its own now, it changes unasked; and it has taken nothing that it did not change.
    await editor.fill((await editor.inputValue()).replace("<b>bye</b>", "again"));
    await page.getByRole("button", { name: "Apply", exact: true }).click();
    await page.getByText("Applied.").waitFor();
    const managed = await cluster.ok("get configmap words --show-managed-fields -o jsonpath={.metadata.managedFields}");
    const ours = (JSON.parse(managed) as { manager: string }[]).filter(({ manager }) => manager === "skerry-page");
    expect(JSON.stringify(ours)).toContain("f:greeting");
    expect(JSON.stringify(ours)).not.toContain("f:loud");
    expect(faults).toEqual([]);
  });

  test("fields and their values are suggested and taken by the keyboard, on a phone by touch", async ({ expect }) => {
    const wide = await loggedIn();
    await wide.page.goto(`${address}#/any/apps/v1/deployments/default/web`);
    const { page } = wide;
    const editor = page.getByLabel("YAML");
    await page.getByRole("button", { name: "Suggest" }).waitFor();
    await editor.fill((await editor.inputValue()).replace(/^spec:\n/m, "spec:\n  \n"));
    await editor.evaluate((area) => {
      const { value } = area as unknown as { value: string };
      const at = value.indexOf("\nspec:") + "\nspec:\n  ".length;
      (area as unknown as { setSelectionRange(from: number, to: number): void }).setSelectionRange(at, at);
    });
    await page.keyboard.type("minR");
    await page.getByRole("option", { name: "minReadySeconds" }).waitFor();
    await page.keyboard.press("ArrowDown");
    expect(
      await page.getByRole("listbox", { name: "Suggestions" }).getByRole("option", { selected: true }).textContent(),
    ).toContain("minReadySeconds");
    expect(await serious(page)).toEqual([]);
    await page.keyboard.press("Enter");
    await page.keyboard.type("some");
    await page.getByText("spec.minReadySeconds must be an integer, not a string").waitFor();
    await page.getByRole("button", { name: /^Line \d+$/ }).click();
    await page.keyboard.type("  minReadySeconds: 1");
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByRole("status").getByText("+   minReadySeconds: 1").waitFor();
    await page.keyboard.press("Escape");

    const phone = await loggedIn({ phone: true });
    await phone.page.goto(`${address}#/any/-/v1/pods/default/shell`);
    const small = phone.page.getByLabel("YAML");
    const suggest = phone.page.getByRole("button", { name: "Suggest" });
    await suggest.waitFor();
    await small.fill((await small.inputValue()).replace("imagePullPolicy: IfNotPresent", "imagePullPolicy: "));
    await small.evaluate((area) => {
      const { value } = area as unknown as { value: string };
      const at = value.indexOf("imagePullPolicy: ") + "imagePullPolicy: ".length;
      (area as unknown as { setSelectionRange(from: number, to: number): void }).setSelectionRange(at, at);
    });
    await suggest.click();
    await phone.page.getByRole("option", { name: "Always" }).click();
    expect(await small.inputValue()).toContain("imagePullPolicy: Always\n");
    expect(await phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    expect([...wide.faults, ...phone.faults]).toEqual([]);
  });

  test("who logs in at the issuer comes back, stays longer than a token lasts, and loses nothing by having to again", async ({
    expect,
  }) => {
    await cluster.ok("create clusterrolebinding jane --clusterrole=admin --user=oidc:jane");
    await cluster.ok("create configmap draft --from-literal=a=1");
    const tab = await browser.open(`${address}#/any/-/v1/configmaps/default/draft`);
    const { page, faults } = tab;
    // The issuer is on this machine's loopback, where the browser is not: what it would show there is shown here.
    await page.route(`${issuer.url}/authorize?*`, (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<a href="${issuer.authorize(route.request().url()).replaceAll("&", "&amp;")}">It is me</a>`,
      }),
    );
    const comeIn = async () => {
      await page.getByRole("button", { name: "Log in at the issuer" }).click();
      await page.getByRole("link", { name: "It is me" }).click();
      await page.getByText("oidc:jane").waitFor();
    };
    const now = Math.floor(Date.now() / 1000);
    issuer.claims = { iat: now - 36_000, exp: now + 1800 }; // near its end from the beginning
    await comeIn();
    expect(page.url()).toBe(`${address}#/any/-/v1/configmaps/default/draft`);
    expect(await page.context().cookies()).toEqual([]);
    await expect.poll(() => issuer.renewed).toBe(1);
    await page.reload();
    await page.getByText("oidc:jane").waitFor();
    expect(issuer.renewed).toBe(1);

    const editor = page.getByLabel("YAML");
    await expect.poll(() => editor.inputValue()).toContain('a: "1"');
    await editor.fill((await editor.inputValue()).replace('a: "1"', 'a: "2"'));
    const status = { kind: "Status", apiVersion: "v1", status: "Failure", reason: "Unauthorized", code: 401 };
    await page.route("**/configmaps/draft*", (route) => route.fulfill({ status: 401, json: status }), { times: 1 });
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText("The cluster no longer knows your token.").waitFor();
    await comeIn();
    await expect.poll(() => editor.inputValue()).toContain('a: "2"');
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText('+   a: "2"').waitFor();

    await page.goto(`${address}?code=of-somebody&state=else`);
    await page.getByText("That login was not begun in this tab.").waitFor();
    expect(page.url()).toBe(address);
    expect(faults).toEqual([]);
  });

  test("a tab that nobody sees has no watch open, and follows again when it is seen", async ({ expect }) => {
    const { page, faults } = await loggedIn();
    const open = new Set<unknown>();
    page.on("websocket", (socket) => {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
    });
    page.on("framenavigated", () => open.clear()); // those of the page before it end without a word
    await page.reload();
    await expect.poll(() => open.size).toBeGreaterThan(0);
    const show = (state: string) =>
      page.evaluate(`
        Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      `);
    await show("hidden");
    await expect.poll(() => open.size).toBe(0);
    await show("visible");
    await expect.poll(() => open.size).toBeGreaterThan(0);
    expect(faults).toEqual([]);
  });

  test("a machine joins by a line that is copied, and by none that was revoked", async ({ expect }) => {
    const { page, faults } = await loggedIn();
    await page.getByRole("button", { name: "Add a machine" }).click();
    const make = async () => {
      await page.getByRole("button", { name: "Make a line" }).click();
      return page.getByLabel("Type this on the machine").inputValue();
    };
    const words = (await make()).split(" ");
    const hash = (await cluster.skerry("token", "create")).stdout.trim().split(" ").at(-1);
    expect(words.slice(0, 3)).toEqual(["skerry", "join", address.replace("/ui/", "")]);
    expect(words.slice(-2)).toEqual(["--ca-hash", hash]);
    await page.getByRole("button", { name: "Show a QR code" }).click();
    expect(await scanned(page, page.getByRole("img", { name: "QR code" }))).toBe(words.join(" "));
    const [, , , , secret = ""] = words;
    const row = page.getByRole("row").filter({ hasText: "one machine" });
    await row.waitFor();
    expect(await serious(page)).toEqual([]);
    const ask = (name: string) =>
      page.evaluate(
        `fetch("../skerry/join", { method: "POST", body: ${JSON.stringify(
          JSON.stringify({ token: secret, name }),
        )} }).then((answer) => answer.status)`,
      );
    page.on("dialog", (dialog) => dialog.accept());
    await row.getByRole("button", { name: "Revoke" }).click();
    await row.waitFor({ state: "detached" });
    expect(await ask("late")).toBe(401);
    expect(faults).toEqual([]);
  });

  test("a session of one cluster is nothing to another of the same origin", async ({ expect }) => {
    const { page, faults } = await loggedIn();
    const other = address.replace("/ui/", "/clusters/other/ui/");
    await page.goto(other);
    await logIn({ page, faults });
    await page.getByRole("alert").getByText("Unauthorized").waitFor();
    const refused = `Promise.all(["/api/v1/secrets", "/api/v1/pods?watch=true"].map(async (path) => {
    const headers = { authorization: "Bearer ${token}" };
    return (await fetch("/clusters/other" + path, { headers })).status;
  }))`;
    expect(await page.evaluate(refused)).toEqual([401, 401]);
    const [, others = ""] = (await cluster.skerry("page", "--cluster", "other")).stdout
      .split("\n")
      .filter((line) => /^\S+$/.test(line));
    await logIn({ page, faults }, others);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByText("0 nodes online of 0").waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Token").waitFor();
    await page.goto(address);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByRole("heading", { name: "node-a" }).waitFor();
    expect(faults).toEqual([]);
  });

  test("a page of another origin can do and read nothing by who is logged in", async ({ expect }) => {
    const { page } = await browser.open(address);
    await page.getByLabel("Token").fill(token);
    await page.getByLabel("Stay logged in on this device").check();
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    const site = createServer((_, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>elsewhere</title>");
    });
    await new Promise<void>((resolve) => site.listen(0, resolve));
    try {
      const elsewhere = await page.context().newPage();
      await elsewhere.goto(`http://${browser.host}:${(site.address() as AddressInfo).port}/`);
      const outcome = await elsewhere.evaluate(`(async (cluster) => {
      const body = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "forged" } });
      const path = cluster + "/api/v1/namespaces/default/configmaps";
      const asked = (options) => fetch(path, { credentials: "include", ...options }).then(() => "read", () => "unread");
      const sent = await asked({ method: "POST", mode: "no-cors", headers: { "content-type": "text/plain" }, body });
      const read = await asked({});
      const preflight = await asked({ method: "POST", headers: { "content-type": "application/json" }, body });
      const socket = await new Promise((resolve) => {
        const made = new WebSocket(cluster.replace("https", "wss") + "/api/v1/pods?watch=true");
        made.onopen = () => resolve("opened");
        made.onerror = () => resolve("refused");
      });
      const frame = document.createElement("iframe");
      const shown = new Promise((resolve) => { frame.onload = resolve; });
      frame.src = cluster + "/ui/";
      document.body.append(frame);
      await shown;
      let inside;
      try { inside = frame.contentWindow.localStorage.length; } catch (error) { inside = error.name; }
      return { sent, read, preflight, socket, inside, own: localStorage.length };
    })(${JSON.stringify(address.replace("/ui/", ""))})`);
      expect(outcome).toEqual({
        sent: "read", // without having seen what was answered
        read: "unread",
        preflight: "unread",
        socket: "refused",
        inside: "SecurityError",
        own: 0,
      });
      expect(elsewhere.frames().some((frame) => frame.url().startsWith(address))).toBe(false);
      expect(await cluster.ok("get configmaps -o name")).not.toContain("forged");
    } finally {
      site.closeAllConnections();
      site.close();
    }
  });
});

test("what is kept of the log of a pod that is gone is found and read", async () => {
  await cluster.apply(`
apiVersion: v1
kind: Namespace
metadata: {name: kept, annotations: {skerry.dev/keep-logs: 7d}}
---
apiVersion: v1
kind: Pod
metadata: {name: gone, namespace: kept}
spec:
  restartPolicy: Never
  containers: [{name: c, image: "busybox:test", command: [echo, <b>last words</b>]}]
`);
  await cluster.ok("wait -n kept --for=jsonpath={.status.phase}=Succeeded pod/gone --timeout=300s");
  await cluster.ok("delete pod -n kept gone");
  await eventually(
    "it is kept",
    async () => (await cluster.kubectl("get --raw /skerry/logs/kept/gone")).stdout === "<b>last words</b>\n",
  );
  const { page, faults } = await loggedIn();
  await page.getByRole("link", { name: "Workloads" }).click();
  await page.getByRole("link", { name: "Logs that are kept" }).click();
  await page.getByRole("link", { name: "gone" }).click();
  await page.getByText("<b>last words</b>").waitFor();
  expect(await serious(page)).toEqual([]);
  expect(faults).toEqual([]);
});

test.each([
  { name: "wide and light", options: {} },
  { name: "a phone in the dark", options: { phone: true, dark: true } },
])("nothing keeps anybody from using it: $name", async ({ options }) => {
  const { page, faults } = await loggedIn(options);
  for (const [place, heading, text] of [
    ["#/", "Overview", "Control plane awake"],
    ["#/workloads", "Workloads", "as wanted"],
    ["#/alerts", "Alerts", "node-offline"],
    ["#/workloads/deployments/default/web", "web Deployment in default", "node-a"],
    ["#/network", "Network", "kubernetes"],
    ["#/people", "People", "system:masters"],
    ["#/any/-/v1/nodes", "Everything", "node-a"],
    ["#/kept", "Kept logs", "gone"],
  ] as const) {
    await page.goto(`${address}${place}`);
    await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
    await page.getByText(text).first().waitFor();
    expect(await serious(page), place).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), `${place} is too wide`).toBe(
      true,
    );
  }
  expect(faults).toEqual([]);
});

test("by the keyboard alone: from the log in to a pod", async () => {
  const { page, faults } = await browser.open(address);
  await page.keyboard.press("Tab");
  await page.keyboard.type(token);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("w");
  const link = page.getByRole("link", { name: "web", exact: true });
  await link.waitFor();
  for (let presses = 0; presses < 30; presses++) {
    await page.keyboard.press("Tab");
    if (await link.evaluate((element) => element.matches(":focus"))) break;
  }
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "web Deployment in default" }).waitFor();
  expect(faults).toEqual([]);
});

test("what fires is shown, a test is sent, and whom it did not reach is told", async () => {
  const { page, faults } = await loggedIn();
  await cluster.apply(`
apiVersion: v1
kind: ConfigMap
metadata: {name: skerry-alerts, namespace: kube-system}
data:
  receivers: "- {name: nobody, webhook: {url: http://127.0.0.1:1/}}"
  rules: "pod-unschedulable: {for: 0s}"
`);
  await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: {name: nowhere, namespace: default}
spec: {nodeSelector: {there: is-none}, containers: [{name: c, image: "busybox:test"}]}
`);
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  await page.getByText("pod-unschedulable: Pod default/nowhere").waitFor();
  await page.getByRole("button", { name: "Send a test to all" }).click();
  await page.getByRole("cell", { name: /it cannot be reached/ }).waitFor();
  await cluster.ok("delete pod nowhere --grace-period=0 --force");
  await cluster.ok("delete configmap skerry-alerts -n kube-system");
  await page.getByText("pod-unschedulable: Pod default/nowhere").waitFor({ state: "detached" });
  expect(faults).toEqual([]);
});

test("its service worker keeps the page and nothing else: offline it is there after the first visit, and says so", async () => {
  const { page, faults } = await browser.open(address, { serviceWorker: true });
  await page.evaluate("navigator.serviceWorker.ready.then(() => true)");
  await logIn({ page, faults });
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const kept = `caches.open("shell ${new URL(address).pathname}").then((shell) => shell.keys()).then((keys) => keys.map(({ url }) => new URL(url).pathname))`;
  await eventually("it keeps the page", async () =>
    ((await page.evaluate(kept)) as string[]).some((path) => /main-/.test(path)),
  );
  for (const path of (await page.evaluate(kept)) as string[]) expect(path).toMatch(/\/ui\/[\w.-]*$/);
  await page.context().setOffline(true);
  await page.reload();
  await page.getByText("This device is offline").waitFor();
  await page.context().setOffline(false);
  await page.getByText("This device is offline").waitFor({ state: "detached" });
  expect(faults).toEqual([]);
});

test("no other page may show it, and it runs no script but its own", async () => {
  const { page } = await browser.open(address);
  const response = await page.reload();
  const policy = response?.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
});

test("what a program shows through the API's proxy has no part in the page's origin", async () => {
  await cluster.apply(`
apiVersion: v1
kind: Pod
metadata: {name: site, namespace: default}
spec:
  containers:
  - name: site
    image: "busybox:test"
    command: [sh, -c, "mkdir /www; echo '<script>document.title = self.origin</script>' >/www/index.html; exec httpd -f -p 8080 -h /www"]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: visitor, namespace: default}
rules:
- {apiGroups: [""], resources: [pods/proxy], resourceNames: ["site:8080"], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: visitor, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: visitor}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: system:anonymous}]
`);
  await cluster.ok("wait --for=condition=Ready pod/site");
  const site = address.replace("/ui/", "/api/v1/namespaces/default/pods/site:8080/proxy/");
  for (const url of [site, site.replace("://", "://somebody:word@")]) {
    const { page } = await browser.open(url);
    await expect.poll(() => page.title(), { message: url }).toBe("null");
  }
});

/** The last, since nodes measure once a minute. */
test("what nodes and workloads used is plotted, for who may see it, and read by keys", async () => {
  const { page, faults } = await loggedIn();
  const patience = { timeout: 300_000 };
  const node = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: /^node-a/ }) });
  await node.getByRole("slider", { name: "Processors over time" }).waitFor(patience);
  await page.goto(`${address}#/workloads/deployments/default/web`);
  const memory = page.getByRole("slider", { name: "Memory over time" });
  await memory.waitFor(patience);
  expect(await memory.getAttribute("aria-valuetext")).toMatch(/: [\d.]+ [KM]iB in use$/);
  await memory.focus();
  await page.keyboard.press("Home");
  expect(await memory.getAttribute("aria-valuetext")).toMatch(/: not known in use$/);
  expect(await serious(page)).toEqual([]);
  await picture(page, "figures", 800);
  await page.getByLabel("The last").selectOption({ label: "day" });
  await memory.waitFor(patience);
  await page.goto(`${address}#/network/ingresses/default/front`);
  const latency = page.getByRole("slider", { name: "Latency over time" });
  await expect.poll(async () => [await visit("/"), await latency.count()], patience).toEqual([200, 1]);
  const requests = page.getByRole("slider", { name: "Requests over time" });
  expect(await requests.getAttribute("aria-valuetext")).toMatch(/: [\d.]+\/s in all, [\d.]+\/s failed$/);
  expect(await serious(page)).toEqual([]);
  const clerk = async (path: string) =>
    (await cluster.kubectl(`get --raw /skerry/metrics/${path} --as=system:serviceaccount:shop:clerk`)).all;
  expect(JSON.parse(await clerk("namespaces/shop")).series).toHaveProperty(["shop/Pod/till", "memory"]);
  expect(await clerk("namespaces/default")).toContain("Forbidden");
  expect(await clerk("nodes")).toContain("Forbidden");
  expect(faults).toEqual([]);
});
