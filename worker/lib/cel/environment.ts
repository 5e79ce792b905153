import { Environment } from "@marcbachmann/cel-js";
import { registerAddresses } from "./addresses.ts";
import { registerLists } from "./lists.ts";
import { registerQuantities } from "./quantities.ts";
import { registerStrings } from "./strings.ts";
import { registerUrls } from "./urls.ts";

const library = new Environment({
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 20_000, maxDepth: 100 },
});
for (const register of [registerStrings, registerLists, registerUrls, registerQuantities, registerAddresses])
  register(library);

/**
 * A new environment with what Kubernetes adds to the language.
 * https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries
 */
export const celEnvironment = (): Environment => library.clone();
