/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-format-library */
import {
  dns1035LabelProblems,
  dnsLabelProblems,
  dnsSubdomainProblems,
  labelValueProblems,
  maskTrailingDash,
  type Problems,
  qualifiedNameProblems,
} from "../../names.ts";
import { ofFormat, one } from "../costs.ts";
import { Library } from "../environment.ts";
import { fixed, scale } from "../ranges.ts";
import { parseTimestamp } from "../times.ts";
import { CelObject, NONE, some } from "../values.ts";
import { problemOf } from "./urls.ts";

class Format extends CelObject {
  readonly typeName = "kubernetes.NamedFormat";
  readonly problems: (text: string) => Problems;
  /** Characters that its pattern is taken to have, for costs. */
  readonly patternSize: number;

  constructor(patternSize: number, problems: (text: string) => Problems) {
    super();
    this.problems = problems;
    this.patternSize = patternSize;
  }
}

const prefix = (problems: (text: string) => Problems) => (text: string) => problems(maskTrailingDash(text));
const unless = (holds: (text: string) => boolean, problem: string) => (text: string) => (holds(text) ? [] : [problem]);

const isUuid = (text: string) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text);
const isBase64 = (text: string) =>
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/.test(text);
const isDate = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && parseTimestamp(`${text}T00:00:00Z`) !== undefined;
const isDateTime = (text: string) => parseTimestamp(text.replace("t", "T").replace("z", "Z")) !== undefined;

const uriProblems = (text: string): Problems => {
  const problem = problemOf(text);
  return problem === undefined ? [] : [problem];
};

const DATE_TIME_SIZE = 71;

const FORMATS: Readonly<Record<string, Format>> = {
  dns1123Label: new Format(30, dnsLabelProblems),
  dns1123Subdomain: new Format(60, dnsSubdomainProblems),
  dns1035Label: new Format(30, dns1035LabelProblems),
  qualifiedName: new Format(60, qualifiedNameProblems),
  dns1123LabelPrefix: new Format(30, prefix(dnsLabelProblems)),
  dns1123SubdomainPrefix: new Format(60, prefix(dnsSubdomainProblems)),
  dns1035LabelPrefix: new Format(30, prefix(dns1035LabelProblems)),
  labelValue: new Format(40, labelValueProblems),
  uri: new Format(1103, uriProblems),
  uuid: new Format(70, unless(isUuid, "does not match the UUID format")),
  byte: new Format(84, unless(isBase64, "invalid base64")),
  date: new Format(DATE_TIME_SIZE, unless(isDate, "invalid date")),
  datetime: new Format(DATE_TIME_SIZE, unless(isDateTime, "invalid datetime")),
};

function validate(format: Format, text: string): unknown {
  const problems = format.problems(text);
  return problems.length ? some([...problems]) : NONE;
}

/** No name's pattern is taken to be longer. */
const MAX_PATTERN_SIZE = 128;

export const formats = new Library()
  .add("kubernetes.NamedFormat::validate(string): optional(list(string))", "format-validate", validate, {
    cost: ([format, text]) => ofFormat(text, (format as Format).patternSize),
    estimate: ([, text], sizeOf) => text && { cost: scale(scale(sizeOf(text), 0.1), MAX_PATTERN_SIZE * 0.25) },
  })
  .add(
    "format.named(string): optional(kubernetes.NamedFormat)",
    "format-named",
    (name: string) => (Object.hasOwn(FORMATS, name) ? some(FORMATS[name]) : NONE),
    { cost: one, estimate: () => ({ cost: fixed(1) }) },
  );
for (const [name, format] of Object.entries(FORMATS))
  formats.add(`format.${name}(): kubernetes.NamedFormat`, `format.${name}`, () => format);
