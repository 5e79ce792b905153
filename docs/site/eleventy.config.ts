/** `npm run docs`: the repository's Markdown as a site in docs/dist, which needs no server. */
import { rmSync } from "node:fs";
import { join, posix } from "node:path";
import { layout } from "./layout.ts";
import { anchorOf, leadTo, pageOf, ROOT } from "./pages.ts";

const OUTPUT = "docs/dist";

/** Eleventy and markdown-it have no types of their own; these are of what is used here. */
type Token = {
  type: string;
  tag: string;
  content: string;
  children: Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
};
type Markdown = {
  set(options: { html: boolean }): Markdown;
  core: {
    ruler: {
      push(name: string, rule: (state: { tokens: Token[]; env: { page: { inputPath: string } } }) => void): void;
    };
  };
};
type Eleventy = {
  setTemplateFormats(formats: string): void;
  amendLibrary(name: "md", amend: (markdown: Markdown) => void): void;
  addPassthroughCopy(what: string | Record<string, string>): void;
  addGlobalData(name: string, make: () => unknown): void;
  addTransform(name: string, transform: (this: { page: { inputPath: string } }, content: string) => string): void;
};

const fileOf = (page: { inputPath: string }) => posix.normalize(page.inputPath);

/** Leads links where they lead in the site, and gives headings the anchors that they have on GitHub. */
function connect(markdown: Markdown): void {
  markdown.core.ruler.push("skerry", ({ tokens, env }) => {
    const file = fileOf(env.page);
    for (const [index, token] of tokens.entries()) {
      if (token.type === "heading_open") token.attrSet("id", anchorOf(plainText(tokens[index + 1])));
      const open: Token[] = [];
      for (const child of token.children ?? []) {
        if (child.type === "image") child.attrSet("src", leadTo(child.attrGet("src") ?? "", file) ?? "");
        if (child.type === "link_open") {
          open.push(child);
          const lead = leadTo(child.attrGet("href") ?? "", file);
          if (lead === undefined) Object.assign(child, { tag: "span", attrs: [["title", "in the repository"]] });
          else child.attrSet("href", lead);
        }
        if (child.type === "link_close") child.tag = open.pop()?.tag ?? "a";
      }
    }
  });
}

const plainText = (heading: Token | undefined) =>
  (heading?.children ?? [])
    .filter(({ type }) => type === "text" || type === "code_inline")
    .map(({ content }) => content)
    .join("");

export default function configure(eleventy: Eleventy) {
  rmSync(join(ROOT, OUTPUT), { recursive: true, force: true }); // pages that are no more
  eleventy.setTemplateFormats("md");
  eleventy.amendLibrary("md", (markdown) => connect(markdown.set({ html: true })));
  eleventy.addGlobalData(
    "permalink",
    () =>
      ({ page }: { page: { inputPath: string } }) =>
        pageOf(fileOf(page)),
  );
  eleventy.addTransform("layout", function (content) {
    return layout(content, pageOf(fileOf(this.page)));
  });
  eleventy.addPassthroughCopy("docs/pictures");
  eleventy.addPassthroughCopy("test/bench/**/*.svg");
  eleventy.addPassthroughCopy({ "docs/site/style.css": "style.css" });
  return { dir: { input: ".", output: OUTPUT }, markdownTemplateEngine: false };
}
