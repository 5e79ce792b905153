/**
 * A real Chromium, driven by Playwright: Debian's, so that none is downloaded. It is on a machine of its own, for it breaks
 * off what it does whenever its machine's network changes, as a node's does with each pod.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { REMOVAL } from "./cluster.ts";
import { type Lan, makeLan } from "./machine.ts";
import { checked } from "./programs.ts";

/** Nothing here asserts how fast anything is. */
const PATIENCE_MS = 120_000;
const PHONE = { width: 360, height: 740 };
const WIDE = { width: 1280, height: 900 };

export type Tab = { page: Page /** What the page said that it should not have. */; faults: string[] };

/** Keeps the upper part of what a page shows, for the documentation; only where `npm run docs:pictures` asks for it. */
export async function picture(page: Page, name: string, height: number): Promise<void> {
  const folder = process.env.SKERRY_PICTURES;
  const clip = { x: 0, y: 0, width: WIDE.width, height };
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), clip, animations: "disabled" });
}

export class TestBrowser {
  readonly #browser: Browser;
  readonly #lan: Lan;
  readonly #folder: string;

  private constructor(browser: Browser, lan: Lan, folder: string) {
    this.#browser = browser;
    this.#lan = lan;
    this.#folder = folder;
  }

  static async start(): Promise<TestBrowser> {
    const lan = await makeLan();
    await checked("ip", ["-n", lan.switch, "address", "add", `${lan.address(2)}/24`, "dev", "br0"]);
    const folder = mkdtempSync(join(tmpdir(), "skerry-browser-"));
    const executablePath = join(folder, "chromium");
    const enter = `exec nsenter --net=/var/run/netns/${lan.switch} /usr/bin/chromium "$@"`;
    writeFileSync(executablePath, `#!/bin/sh\n${enter}\n`, { mode: 0o755 });
    // Chromium's sandbox does not take root; a service worker wants a certificate that is trusted, whatever a context says.
    const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--ignore-certificate-errors"];
    // As on the machine itself, where a browser takes these names for it.
    args.push(`--host-resolver-rules=MAP localhost ${lan.host}, MAP *.localhost ${lan.host}`);
    try {
      return new TestBrowser(await chromium.launch({ executablePath, args, timeout: PATIENCE_MS }), lan, folder);
    } catch (error) {
      await lan.remove();
      rmSync(folder, REMOVAL);
      throw error;
    }
  }

  /** This machine, as the browser reaches it. */
  get host(): string {
    return this.#lan.host;
  }

  /** A tab of its own, with nothing remembered. The cluster's authority is its own, which no browser knows. */
  async open(url: string, { phone = false, dark = false, serviceWorker = false } = {}): Promise<Tab> {
    const context = await this.#browser.newContext({
      ignoreHTTPSErrors: true,
      colorScheme: dark ? "dark" : "light",
      viewport: phone ? PHONE : WIDE,
      serviceWorkers: serviceWorker ? "allow" : "block",
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && /Content Security Policy|Uncaught/.test(message.text()))
        faults.push(message.text());
    });
    await page.goto(url);
    return { page, faults };
  }

  /** The processes that hold what tabs show. */
  async renderers(): Promise<number[]> {
    const session = await this.#browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#lan.remove();
    rmSync(this.#folder, REMOVAL);
  }
}
