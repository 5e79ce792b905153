/** Draws the samples of a group: a facet for each measure, a dot for each round of each side. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Result } from "./runner.ts";

const ROW_PX = 44;
const COLORS = { skerry: "#d9480f", kubernetes: "#326ce5", swarm: "#0b7285" };

/** An SVG document. Every measure has its own scale, from zero to its largest sample, so that sides compare by eye. */
export function plot(results: readonly Result[]): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const dots = results.flatMap(({ name, unit, samples }) => {
    const largest = Math.max(...samples.map(({ value }) => value));
    const label = `${name} (0 – ${Number(largest.toPrecision(3)).toLocaleString("en")} ${unit})`;
    return samples.map(({ side, value }) => ({ label, side, share: value / largest }));
  });
  const drawn = Plot.plot({
    document,
    width: 940,
    height: 60 + ROW_PX * results.length,
    marginLeft: 460,
    marginRight: 20,
    style: { fontSize: "12px", background: "white", color: "black" },
    x: { domain: [0, 1], axis: null },
    y: { domain: Object.keys(COLORS).filter((side) => dots.some((dot) => dot.side === side)), axis: null },
    fy: { label: null, domain: [...new Set(dots.map(({ label }) => label))], axis: null },
    color: { domain: Object.keys(COLORS), range: Object.values(COLORS) },
    marks: [
      // Beside the names of the sides.
      Plot.axisFy({ anchor: "left", dx: -72, label: null }),
      Plot.ruleY(dots, { y: "side", fy: "label", x1: 0, x2: 1, stroke: "#e5e5e5" }),
      Plot.ruleY(
        dots,
        Plot.groupY(
          { x2: "median" },
          { y: "side", fy: "label", x2: "share", stroke: "side", strokeWidth: 5, strokeOpacity: 0.5 },
        ),
      ),
      Plot.dot(dots, { x: "share", y: "side", fy: "label", stroke: "side", fill: "side", r: 3 }),
      Plot.text(
        dots,
        Plot.selectFirst({
          x: 0,
          y: "side",
          fy: "label",
          z: "side",
          text: "side",
          dx: -6,
          textAnchor: "end",
          fill: "side",
          fontSize: 10,
        }),
      ),
    ],
  });
  drawn.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${drawn.outerHTML}\n`;
}
