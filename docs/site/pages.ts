/** The site's pages: which file becomes which, and in which order they are listed. */
import { readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

/** The pages of `docs` under the headings of the menu, by their files' names. */
export const MENU: readonly { heading: string; pages: readonly string[] }[] = [
  { heading: "Begin", pages: ["start", "machines", "expose", "cloudflare"] },
  {
    heading: "Use",
    pages: ["page", "alerts", "scaling", "storage", "registry", "compose", "networks", "access", "nodes"],
  },
  { heading: "Come from elsewhere", pages: ["move"] },
  { heading: "Know", pages: ["how-it-works", "costs", "limits", "compare"] },
];

/** A Markdown file's page, relative to the site's root; paths are relative to the repository's. */
export function pageOf(file: string): string {
  if (file === "README.md") return "index.html";
  return file.replace(/^docs\//, "").replace(/\.md$/, ".html");
}

/** A file's first heading, which is its title. */
export const titleOf = (file: string): string =>
  /^# (.+)$/m.exec(readFileSync(join(ROOT, file), "utf8"))?.[1] ?? posix.basename(file, ".md");

/** The way from one page to another, wherever the site lies. */
export const wayTo = (page: string, from: string): string => relative(dirname(from), page);

/**
 * What a link in `file` leads to, in the site: another page, a picture, a place outside. Undefined where that is in the
 * repository alone: a folder, a source.
 */
export function leadTo(link: string, file: string): string | undefined {
  if (/^([a-z]+:|#)/.test(link)) return link;
  const [path = "", anchor] = link.split("#");
  const target = posix.normalize(posix.join(posix.dirname(file), path));
  const page = target.endsWith(".md") ? pageOf(target) : /\.(png|svg)$/.test(target) ? target : undefined;
  return page && wayTo(page, pageOf(file)) + (anchor ? `#${anchor}` : "");
}

/** A heading's anchor, as GitHub makes it, so that links hold in both places. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-");
