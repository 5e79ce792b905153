/** Lines of logs as they are shown: bounded, searched, and without what would move a terminal's cursor. */
import stripAnsi from "strip-ansi";

export type LogLine = { id: number; source: string; text: string };

const MAX_LINES = 5_000;

/** Control characters, but for tabs: of colours and titles the escape sequences are taken out first. */
const CONTROL = /[^\P{Cc}\t]/gu;

export const plain = (text: string): string => stripAnsi(text).replace(CONTROL, "");

/** With the new ones at the end; the oldest are given up. */
export const appended = (lines: readonly LogLine[], more: readonly LogLine[]): readonly LogLine[] =>
  [...lines, ...more].slice(-MAX_LINES);

export const matching = (lines: readonly LogLine[], search: string): readonly LogLine[] =>
  search === "" ? lines : lines.filter(({ text }) => text.toLowerCase().includes(search.toLowerCase()));
