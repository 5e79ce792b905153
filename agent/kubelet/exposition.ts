/** Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export type Labels = Readonly<Record<string, string>>;
export type MetricType = "counter" | "gauge" | "histogram";

const escaped = (text: string) => text.replace(/[\\\n"]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`));

function labelsText(labels: Labels): string {
  const names = Object.keys(labels).toSorted();
  return names.length ? `{${names.map((name) => `${name}="${escaped(labels[name] ?? "")}"`).join(",")}}` : "";
}

const valueText = (value: number) =>
  value === Number.POSITIVE_INFINITY ? "+Inf" : value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);

type Family = { head: string; lines: string[] };

/** Samples of metrics, whose families are written in the order of their names, whatever order they came in. */
export class Exposition {
  readonly #families = new Map<string, Family>();

  /** `at` in ms since the epoch: when it was measured, where that is to be told. */
  add(name: string, type: MetricType, help: string, value: number, labels: Labels = {}, at?: number): void {
    this.#line(name, type, help, name, value, labels, at);
  }

  histogram(name: string, help: string, { bounds, counts, sum }: HistogramValue, labels: Labels = {}): void {
    let total = 0;
    for (const [index, bound] of [...bounds, Number.POSITIVE_INFINITY].entries()) {
      total += counts[index] ?? 0;
      this.#line(name, "histogram", help, `${name}_bucket`, total, { ...labels, le: valueText(bound) });
    }
    this.#line(name, "histogram", help, `${name}_sum`, sum, labels);
    this.#line(name, "histogram", help, `${name}_count`, total, labels);
  }

  text(): string {
    const names = [...this.#families.keys()].toSorted();
    return names
      .map((name) => {
        const { head, lines } = this.#families.get(name) as Family;
        return `${head}${lines.join("\n")}\n`;
      })
      .join("");
  }

  #line(
    name: string,
    type: MetricType,
    help: string,
    series: string,
    value: number,
    labels: Labels,
    at?: number,
  ): void {
    let family = this.#families.get(name);
    if (!family) {
      family = { head: `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`, lines: [] };
      this.#families.set(name, family);
    }
    family.lines.push(
      `${series}${labelsText(labels)} ${valueText(value)}${at === undefined ? "" : ` ${Math.round(at)}`}`,
    );
  }
}

/** `counts` has one entry more than `bounds`: what is above them all. */
export type HistogramValue = { bounds: readonly number[]; counts: number[]; sum: number };
