/** What can be seen of the documentation without running it: its blocks, its links, and how output is compared. */
import { existsSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { anchorOf, leadTo, MENU } from "../../docs/site/pages.ts";
import manifest from "../../package.json" with { type: "json" };
import { missing } from "./compare.ts";
import { blocksOf, pages, ROOT, read } from "./page.ts";

const blocks = pages().flatMap((page) => blocksOf(page, read(page)));
/** Of these `console` and `sh` have commands. */
const LANGUAGES = new Set(["console", "sh", "yaml", "toml", "text"]);
/** What of a command a test that runs it has in its text, whatever the values. */
function has(test: string, command: string): boolean {
  const [words = ""] = command.replace(/ #.*/, "").split(/ --?/);
  const flags = command.replace(/ #.*/, "").match(/ --[a-z-]+/g) ?? [];
  return [words.split(" ")[1] ?? "", ...flags.map((flag) => flag.trim())].every((word) => test.includes(word));
}
const at = ({ page, line }: { page: string; line: number }) => `${page}:${line}`;

describe("pages", () => {
  test("are all in the menu, once", () => {
    const listed = MENU.flatMap((part) => part.pages).map((name) => `docs/${name}.md`);
    expect(["README.md", ...listed].toSorted()).toEqual(pages().toSorted());
  });

  test("every block says what it is; only those with commands have notes on how they are run", () => {
    expect(blocks.filter(({ language }) => !LANGUAGES.has(language)).map(at)).toEqual([]);
    const isTorn = (page: string) => /^([ \t]+```|<<<<<<< |>>>>>>> )/m.test(read(page));
    expect(pages().filter(isTorn)).toEqual([]);
    const noted = blocks.filter(({ notRun, runBy, on }) => notRun || runBy || on);
    expect(noted.filter(({ commands }) => commands.length === 0).map(at)).toEqual([]);
  });

  test("what another test runs, is run by one that has its commands' words and flags", () => {
    const lost = blocks.flatMap(({ runBy, commands, ...block }) =>
      runBy ? commands.filter(({ text }) => !has(read(runBy), text)).map(({ text }) => `${at(block)}: ${text}`) : [],
    );
    expect(lost).toEqual([]);
  });

  test("every link leads somewhere", () => {
    const lost = pages().flatMap((page) =>
      [
        ...read(page)
          .replace(/^```[\s\S]*?^```$/gm, "")
          .matchAll(/\]\((?![a-z]+:)([^)#]*)(?:#([^)]+))?\)/g),
      ]
        .filter(([, path = "", anchor]) => {
          const target = path ? normalize(join(dirname(page), path)) : page;
          if (!existsSync(join(ROOT, target))) return true;
          if (!anchor) return false;
          return statSync(join(ROOT, target)).isDirectory() || !anchors(target).includes(anchor);
        })
        .map(([link]) => `${page}: ${link}`),
    );
    expect(lost).toEqual([]);
  });

  test("npm start is what the cluster of the documentation's test is started by", () => {
    expect(manifest.scripts.start).toBe("node agent/main.ts up");
  });
});

const anchors = (page: string) => [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));

test("a page's blocks are told apart, with their notes", () => {
  const page = `
<!-- not run: needs an account -->
\`\`\`sh
skerry deploy \\
  --bucket shore
# nothing
kubectl get pods
\`\`\`
<!-- file: web.yaml -->
\`\`\`yaml
kind: Pod
\`\`\`

\`\`\`console
$ kubectl get nodes
NAME   STATUS
$ kubectl get pods
\`\`\`
`;
  expect(blocksOf("x.md", page)).toMatchObject([
    {
      line: 2,
      notRun: "needs an account",
      commands: [{ text: "skerry deploy --bucket shore" }, { text: "kubectl get pods" }],
    },
    { file: "web.yaml", text: "kind: Pod\n", commands: [] },
    {
      commands: [
        { text: "kubectl get nodes", shown: ["NAME   STATUS"] },
        { text: "kubectl get pods", shown: [] },
      ],
    },
  ]);
  expect(() => blocksOf("x.md", "<!-- skip: it -->\n```sh\nls\n```\n")).toThrow("no such note");
});

test.each([
  ["the same words with other space", "NAME  READY", "NAME     READY\n", true],
  ["a word with a digit is any word", "web-f8d-nx2 15s", "web-zzz 3m", true],
  ["counts are meant", "web 2/2 0", "web 1/2 0", false],
  ["an ellipsis is anything", "created: …", "created: a b c", true],
  ["another word", "web Running", "web Pending", false],
  ["nothing printed", "web", "", false],
])("output: %s", (_, shown, printed, matches) => {
  expect(missing([shown], printed) === undefined).toBe(matches);
});

test("lines are expected in their order, with others between them", () => {
  expect(missing(["a", "c"], "a\nb\nc\n")).toBeUndefined();
  expect(missing(["c", "a"], "a\nb\nc\n")).toBe("a");
});

test("links lead to pages, pictures, or stay in the repository", () => {
  expect(leadTo("docs/start.md#options", "README.md")).toBe("start.html#options");
  expect(leadTo("../test/bench/COST.md", "docs/costs.md")).toBe("test/bench/COST.html");
  expect(leadTo("../../docs/limits.md", "test/bench/COST.md")).toBe("../../limits.html");
  expect(leadTo("pictures/page.png", "docs/page.md")).toBe("docs/pictures/page.png");
  expect(leadTo("../agent/compose/testdata", "docs/compose.md")).toBeUndefined();
  expect(leadTo("https://kubernetes.io", "README.md")).toBe("https://kubernetes.io");
});
