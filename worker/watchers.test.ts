import { expect, test } from "vitest";
import type { WatchSpec } from "./api/request.ts";
import type { Change, Reader } from "./storage/store.ts";
import { Watchers, type WatchersDeps, type WatchSocket } from "./watchers.ts";

function socket(spec: () => WatchSpec): WatchSocket & { sent: string[]; closed: number[] } {
  const sent: string[] = [];
  const closed: number[] = [];
  return {
    sent,
    closed,
    send: (text) => void sent.push(text),
    close: (code) => void closed.push(code),
    spec,
    remember: () => undefined,
  };
}

test("a watcher that cannot be told ends, and all others are told", () => {
  const broken = socket(() => {
    throw new TypeError("no attachment");
  });
  const well = socket(() => ({ deadline: 1, bookmarks: false }) as WatchSpec);
  const errors: unknown[] = [];
  const watches: WatchersDeps["watches"] = {
    *initialEvents() {},
    renderChanges: () => "news\n",
    bookmark: () => "",
  };
  const watchers = new Watchers({
    watches,
    store: {} as Reader,
    now: () => 0,
    sockets: () => [broken, well],
    report: (error) => void errors.push(error),
  });
  watchers.changed([{ revision: 1 } as Change]);
  expect(well.sent).toEqual(["news\n"]);
  expect(broken.closed).toEqual([1011]);
  expect(errors).toHaveLength(1);
});
