/** For programs of Node.js that are to stay small. */
import { createRequire } from "node:module";
import type { Plugin } from "esbuild";

const require = createRequire(import.meta.url);

/**
 * Has Node.js' own modules required where the sources import them: an import reads all that a module exports, also what is
 * loaded when it is first asked for, which in `node:http` is all of `fetch`.
 */
export const requiredBuiltins: Plugin = {
  name: "required-builtins",
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "import-statement" ? { path, namespace: "builtin" } : { path, external: true },
    );
    build.onLoad({ filter: /^node:/, namespace: "builtin" }, ({ path }) => {
      const names = Object.keys(require(path)).filter((name) => name !== "default" && /^\w+$/.test(name));
      const lines = [
        `const builtin = require("${path}");`,
        "const exported = (name) => builtin[name];",
        "export default builtin;",
        // Those that nobody imports are left out.
        ...names.map((name) => `export const ${name} = /* @__PURE__ */ exported("${name}");`),
      ];
      return { contents: lines.join("\n") };
    });
  },
};
