/** Tabs of the page in one browser, and what they take of it. */
import type { Page } from "playwright-core";
import type { Endpoint } from "../../../agent/local/http.ts";
import type { TestBrowser } from "../../support/browser.ts";
import { memoryOf, totalPss } from "../processes.ts";

const MB = 1024 * 1024;

type Tab = { page: Page; sockets: Set<unknown>; paintMs: number; shownMs: number; heapMb: number };

export class BrowserTabs {
  readonly #browser: TestBrowser;
  readonly #server: Required<Endpoint>;
  readonly #pods: number;
  readonly #tabs: Tab[] = [];

  constructor(browser: TestBrowser, server: Required<Endpoint>, pods: number) {
    this.#browser = browser;
    this.#server = server;
    this.#pods = pods;
  }

  /** Resolves when all pods are shown. The first logs in for all of them. */
  async another(): Promise<void> {
    const url = `${this.#server.url.replace("127.0.0.1", this.#browser.host)}/ui/`;
    const [first] = this.#tabs;
    const page = first ? await first.page.context().newPage() : (await this.#browser.open(url)).page;
    if (!first) {
      await page.getByLabel("Token").fill(this.#server.token);
      await page.getByLabel("Stay logged in on this device").check();
      await page.getByRole("button", { name: "Log in", exact: true }).click();
      await page.getByRole("heading", { name: "Overview" }).waitFor();
    }
    const sockets = new Set<unknown>();
    page.on("websocket", (socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
    await page.goto("about:blank"); // each is opened as a tab of its own is
    await page.goto(url);
    await page.getByText(`${this.#pods} pods ready of ${this.#pods}`).waitFor();
    const shownMs = await page.evaluate<number>("performance.now()");
    const paintMs = await page.evaluate<number>(
      "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0",
    );
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable");
    await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const heapMb = (metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? 0) / MB;
    this.#tabs.push({ page, sockets, paintMs, shownMs, heapMb });
  }

  async watches(): Promise<number> {
    return this.#tabs.reduce((count, { sockets }) => count + sockets.size, 0);
  }

  /** As when another window is before them: a browser without a screen shows all its tabs. */
  async hide(): Promise<void> {
    for (const { page } of this.#tabs)
      await page.evaluate(`
        Object.defineProperty(document, "visibilityState", { value: "hidden" });
        document.dispatchEvent(new Event("visibilitychange"));
      `);
  }

  async told(): Promise<string> {
    const most = (of: (tab: Tab) => number) => Math.round(Math.max(...this.#tabs.map(of)));
    const memory = totalPss((await this.#browser.renderers()).map((pid) => memoryOf("renderer", pid)));
    return [
      `first paint within ${most(({ paintMs }) => paintMs)} ms`,
      `all pods shown within ${most(({ shownMs }) => shownMs)} ms`,
      `${Math.round(memory / this.#tabs.length)} MB of memory a tab, of which at most ${most(({ heapMb }) => heapMb)} MB are what JavaScript keeps`,
    ].join(", ");
  }
}
