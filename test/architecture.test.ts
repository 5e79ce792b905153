/** Holds the structure: which room may import which, and what only some files may use. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

/** Room → rooms that it may import from, beside itself. `*` is everything. */
const LAYERS: Record<string, readonly string[]> = {
  "worker/lib": [],
  "worker/kinds": ["worker/lib"],
  "worker/protocol": ["worker/kinds", "worker/lib"],
  "worker/controllers": ["worker/kinds", "worker/lib"],
  "worker/scheduler": ["worker/kinds", "worker/lib", "worker/controllers"],
  "worker/storage": ["worker/lib", "migrations"],
  "worker/api": [
    "worker/kinds",
    "worker/storage",
    "worker/lib",
    "worker/controllers/controller.ts",
    "worker/protocol/link.ts",
    "worker/protocol/traffic.ts",
  ],
  "worker/link": ["worker/protocol", "worker/kinds", "worker/lib"],
  "worker/edge": [
    "worker/protocol",
    "worker/lib",
    "worker/effects.ts",
    "worker/api/http/streams.ts",
    "worker/storage/encryption/cipher.ts",
  ],
  "worker/metrics": ["worker/lib", "worker/storage/store.ts"],
  "worker/registry": ["worker/lib", "worker/edge/bucket.ts", "worker/storage/store.ts"],
  worker: ["*"],
  agent: ["worker/protocol", "worker/kinds", "worker/lib", "package.json", "agent/compose"],
  "agent/compose": ["worker/kinds/generated"],
  "page/api": ["worker/lib/error-text.ts", "worker/lib/facts"],
  "page/facts": ["page/api"],
  "page/editing": ["page/api", "worker/kinds/patch/fields/element.ts"],
  "page/state": ["page/api", "page/effects.ts"],
  "page/parts": ["page/api", "page/facts", "page/editing", "page/state", "page/effects.ts", "worker/lib/error-text.ts"],
  "page/views": [
    "page/api",
    "page/facts",
    "page/editing",
    "page/state",
    "page/parts",
    "page/effects.ts",
    "worker/lib/error-text.ts",
    "worker/lib/facts",
  ],
  page: ["page", "worker/lib/error-text.ts"],
};

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

const files = [...sources("worker"), ...sources("agent"), ...sources("page")];
const isTest = (file: string) => /\.test\.tsx?$|\/testing\//.test(file);
const production = files.filter((file) => !isTest(file) && !file.includes("/generated/"));

/** Comments and strings can say anything; what counts is code. */
const code = (file: string) =>
  readFileSync(join(ROOT, file), "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|[^:"'`\\])\/\/.*$/gm, "$1");

type Import = { from: string; isType: boolean; target: string | undefined };
const IMPORT = /^(?:import|export)\b(\s+type\b)?(?:[^;"'=]*\bfrom)?\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;

function imports(file: string): Import[] {
  return [...code(file).matchAll(IMPORT)].map(([, type, stated, awaited]) => {
    const specifier = stated ?? awaited ?? "";
    const target = specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : undefined;
    return { from: file, isType: type !== undefined, target };
  });
}

/** The deepest room that a file lies in. */
const roomOf = (file: string) =>
  Object.keys(LAYERS)
    .filter((room) => file.startsWith(`${room}/`))
    .toSorted((a, b) => b.length - a.length)[0] ?? "";

function allowed(from: string, target: string): boolean {
  const room = roomOf(from);
  const rules = LAYERS[room] ?? [];
  if (room === roomOf(target) || rules.includes("*")) return true;
  return rules.some((rule) => target === rule || target.startsWith(`${rule}/`));
}

describe("the layers", () => {
  test("every folder of the Worker is a room with a rule", () => {
    const folders = readdirSync(join(ROOT, "worker"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => `worker/${name}`).filter((room) => !LAYERS[room])).toEqual([]);
  });

  test("imports go only where the table allows", () => {
    const wrong = production
      .flatMap(imports)
      .filter(({ from, target }) => target !== undefined && !allowed(from, target))
      .map(({ from, target }) => `${from} → ${target}`);
    expect(wrong).toEqual([]);
  });

  test("no import runs in a circle", () => {
    const graph = new Map(
      production.map((file) => [
        file,
        imports(file).flatMap(({ target, isType }) => (target && !isType ? [target] : [])),
      ]),
    );
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) return void circles.push([...path.slice(path.indexOf(file)), file].join(" → "));
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
    expect(circles).toEqual([]);
  });
});

/** What only some files may use, and why the others get it passed in. */
const RESERVED: readonly { what: string; pattern: RegExp; except: (file: string) => boolean }[] = [
  {
    what: "ambient time, chance and timers",
    pattern:
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\brandomUUID\(|(?<![.\w])set(?:Timeout|Interval|Immediate)\(/,
    except: (file) => /(^|\/)effects\.ts$/.test(file),
  },
  {
    what: "processes",
    pattern: /^import (?!type\b).*from "node:child_process"/m,
    except: (file) => file === "agent/process.ts",
  },
  {
    what: "Node.js' modules in the Worker, of which every home has the one that encrypts",
    pattern: /from "node:/,
    except: (file) =>
      !file.startsWith("worker/") ||
      file === "worker/storage/encryption/cipher.ts" ||
      /^worker\/(storage\/node-sql|kinds\/generate[-\w]*)\.ts$/.test(file),
  },
  {
    what: "packages loaded late, whose names the bundler loses where they are CommonJS: a module of ours imports them",
    pattern: /\bimport\(\s*"(?!\.|node:|esbuild")/,
    except: () => false,
  },
  { what: "the platform's module", pattern: /from "cloudflare:/, except: (file) => /^worker\/[^/]+\.ts$/.test(file) },
  {
    what: "platform features that not every home of the Worker has",
    pattern:
      /\bgetTags\(|\bcaches\.(?:default|open)\b|\bHTMLRewriter\b|\bconnect\(\{|cloudflare:sockets|\bctx\.facets\b/,
    except: (file) => file.startsWith("agent/"),
  },
];

describe("reserved", () => {
  test.each(RESERVED)("$what", ({ pattern, except }) => {
    expect(production.filter((file) => !except(file) && pattern.test(code(file)))).toEqual([]);
  });

  test("default exports only where the platform looks for one", () => {
    const found = production.filter((file) => /^export default\b/m.test(code(file)));
    expect(found).toEqual(["worker/index.ts"]);
  });
});

describe("what is said in two places is the same", () => {
  test("the compatibility date", () => {
    const date = /COMPATIBILITY_DATE = "([^"]+)"/.exec(code("agent/local/workerd.ts"))?.[1];
    expect(readFileSync(join(ROOT, "wrangler.toml"), "utf8")).toContain(`compatibility_date = "${date}"`);
  });
});
