import { Environment } from "@marcbachmann/cel-js";
import { registerAddresses } from "./addresses.ts";
import { registerLists } from "./lists.ts";
import { registerQuantities } from "./quantities.ts";
import { registerStrings } from "./strings.ts";
import { registerUrls } from "./urls.ts";

let library: Environment | undefined;

function makeLibrary(): Environment {
  const made = new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 20_000, maxDepth: 100 },
  });
  for (const register of [registerStrings, registerLists, registerUrls, registerQuantities, registerAddresses])
    register(made);
  return made;
}

/**
 * A new environment with what Kubernetes adds to the language.
 * https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries
 * The first is made when it is asked for: most clusters have no expressions, and it takes milliseconds of a start.
 */
export function celEnvironment(): Environment {
  library ??= makeLibrary();
  return library.clone();
}
