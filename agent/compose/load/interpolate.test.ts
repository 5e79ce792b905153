// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose files
import { expect, test } from "vitest";
import { interpolate } from "./interpolate.ts";

const variables = { NAME: "web", EMPTY: "", PORT: "80" };

test.each([
  ["$NAME-${PORT}", "web-80"],
  ["$$NAME costs $5 and ${NAME}$", "$NAME costs $5 and web$"],
  ["${ABSENT:-fallback} ${EMPTY:-fallback} ${EMPTY-fallback}", "fallback fallback "],
  ["${ABSENT:-${ALSO:-{a}}}", "{a}"],
  ["${NAME:+there} ${EMPTY:+there}${EMPTY+there}${ABSENT+there}", "there there"],
  ["${NAME:?must} ${EMPTY?must}", "web "],
  ["${ABSENT-http://$NAME:${PORT}/}", "http://web:80/"],
])("%s is %s", (text, wanted) => {
  expect(interpolate(text, variables, () => {})).toBe(wanted);
});

test("a name without a value is told", () => {
  const unset: string[] = [];
  expect(interpolate("[$ABSENT${OTHER}${EMPTY}]", variables, (name) => unset.push(name))).toBe("[]");
  expect(unset).toEqual(["ABSENT", "OTHER"]);
});

test.each([
  ["${EMPTY:?say ${NAME}}", "EMPTY has to be set: say web"],
  ["${ABSENT?}", "ABSENT has to be set"],
  ["${NAME", "${ has no } in ${NAME"],
  ["${NAME/a/b}", "${NAME/a/b} is no variable: a name, or one with :-, -, :?, ?, :+ or + after it"],
])("%s is refused", (text, message) => {
  expect(() => interpolate(text, variables, () => {})).toThrow(message);
});
