import { ofFirst } from "../costs.ts";
import { Environment, Library } from "../environment.ts";
import { scale } from "../ranges.ts";
import { addresses } from "./addresses.ts";
import { authorization } from "./authorizer.ts";
import { conversions } from "./conversions.ts";
import { formats } from "./formats.ts";
import { lists, sets } from "./lists.ts";
import { operators } from "./operators.ts";
import { comprehensions, optionals } from "./optionals.ts";
import { regex } from "./patterns.ts";
import { quantities, semvers } from "./quantities.ts";
import { strings } from "./strings.ts";
import { urls } from "./urls.ts";

/**
 * What all expressions of Kubernetes 1.35 may call.
 * https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries
 */
export const KUBERNETES: Environment = new Environment([
  operators,
  conversions,
  strings,
  regex,
  lists,
  sets,
  optionals,
  comprehensions,
  urls,
  addresses,
  quantities,
  semvers,
  formats,
  authorization,
]);

const escapeKey = (key: string): string => key.replace(/[~/]/g, (char) => (char === "/" ? "~1" : "~0"));

/** What expressions that make JSON patches may call beside. */
export const jsonPatch: Library = new Library().add(
  "jsonpatch.escapeKey(string): string",
  "string_jsonpatch_escapeKey_string",
  escapeKey,
  { cost: ofFirst, estimate: ([text], sizeOf) => text && { cost: scale(sizeOf(text), 0.1), size: sizeOf(text) } },
);
