import { expect, test } from "vitest";
import { ControllerRevision } from "../kinds/apps/controller-revision.ts";
import { DaemonSet } from "../kinds/apps/daemon-set.ts";
import { daemonSetController } from "./daemonset/daemonset.ts";
import { Model } from "./testing.ts";

test("a revision's bytes are those that clients make of the template: its keys in order", () => {
  const model = new Model([daemonSetController]);
  model.create(DaemonSet, {
    metadata: { name: "agent", namespace: "default" },
    spec: {
      selector: { matchLabels: { app: "agent" } },
      template: {
        spec: { restartPolicy: "Always", containers: [{ name: "c", image: "agent:1" }] },
        metadata: { labels: { app: "agent" } },
      },
    },
  });
  model.rest();
  const text = JSON.stringify(model.list(ControllerRevision)[0]?.data);
  expect(text).toMatch(
    /^{"spec":{"template":{"\$patch":"replace","metadata":{"labels":{"app":"agent"}},"spec":{"containers":/,
  );
  expect(text).toMatch(/{"image":"agent:1",.*"name":"c".*}\],.*"restartPolicy":"Always"/);
});
