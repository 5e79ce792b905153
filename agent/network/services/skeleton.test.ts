import { expect, test } from "vitest";
import { IPV4, IPV6 } from "../family.ts";
import { renderSkeleton } from "./skeleton.ts";

test.each([IPV4, IPV6])(
  "wherever packets pass, ends of connections are noted: those of TCP, and any of UDP and SCTP",
  (family) => {
    const table = renderSkeleton({ family, table: "t", podCIDR: "P", serviceCIDR: "S" });
    const asked = `ct original ${family.word} daddr . ct protocol . ct original proto-dst`;
    for (const chain of ["input", "forward", "output"]) {
      const [, rules = ""] = table.split(`chain filter-${chain} {`);
      const noted = rules
        .slice(0, rules.indexOf("\n  }\n"))
        .split("\n")
        .filter((rule) => rule.includes("@ended"));
      expect(noted.map((rule) => rule.trim())).toEqual([
        `tcp flags & (fin | rst) != 0 ct status dnat update @ended { ${asked} }`,
        `meta l4proto { udp, sctp } ct status dnat update @ended { ${asked} }`,
      ]);
    }
  },
);
