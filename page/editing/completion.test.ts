import { expect, test } from "vitest";
import { completionAt } from "./completion.ts";
import { KIND } from "./testing/kind.ts";

/** The labels at `|`; and what the text becomes by the first. */
function at(marked: string): { labels: string[]; first: string } | undefined {
  const place = marked.indexOf("|");
  const text = marked.replace("|", "");
  const found = completionAt(text, place, KIND);
  const [first] = found?.suggestions ?? [];
  return (
    found && {
      labels: found.suggestions.map(({ label }) => label),
      first: text.slice(0, found.from) + first?.text + text.slice(place),
    }
  );
}

test.each([
  ["the object's own fields, without those that are there", "kind: Thing\n|\nspec:\n", ["apiVersion", "metadata"]],
  ["required ones first", "spec:\n  |\n", ["containers", "replicas", "paused", "until", "modes", "args"]],
  [
    "by what was begun, then by what holds it",
    "spec:\n  containers:\n    - name: a\n      p|\n",
    ["ports", "imagePullPolicy"],
  ],
  [
    "in a list that stands below its field's first letter",
    "spec:\n  containers:\n  - name: a\n    ima|\n",
    ["image", "imagePullPolicy"],
  ],
  ["of an item just begun", "spec:\n  containers:\n    - name: a\n    - ima|", ["image", "imagePullPolicy"]],
  [
    "values of an enumeration",
    "spec:\n  containers:\n    - name: a\n      imagePullPolicy: |",
    ["Always", "IfNotPresent", "Never"],
  ],
  ["values of a list", "spec:\n  modes:\n    - |", ["Once", "Many"]],
  ["true and false", "spec:\n  paused: t|", ["true"]],
  [
    "in a second item, its own",
    "spec:\n  containers:\n    - name: a\n      ports:\n        - port: 1\n          |\n      image: x\n",
    ["protocol", "target"],
  ],
  ["past a text of lines", "spec:\n  args:\n    - |2\n      port: 1\n  rep|".replace("|2", ">"), ["replicas"]],
])("%s", (_, marked, labels) => {
  expect(at(marked)?.labels).toEqual(labels);
});

test.each([
  "spec:\n  replicas: |",
  "nothing:\n  |",
  "metadata:\n  labels:\n    |",
  "spec:\n  until: >\n    re|",
  "# sp|",
])("nothing is known of %j", (marked) => {
  expect(at(marked)).toBeUndefined();
});

test("what is taken stands where its fields go on", () => {
  expect(at("spec:\n  cont|\n")?.first).toBe("spec:\n  containers:\n    - \n");
  expect(at("sp|")?.first).toBe("spec:\n  ");
  expect(at("spec:\n  rep|")?.first).toBe("spec:\n  replicas: ");
});
