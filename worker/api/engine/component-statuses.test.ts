import { expect, test } from "vitest";
import { testCluster } from "../testing/cluster.ts";

const PATH = "/api/v1/componentstatuses";

test.each([true, false])("storage is well, the others where controllers run: %j", async (controllers) => {
  const { ask } = await testCluster({ controllers });
  const { body } = await ask("GET", PATH);
  const said = controllers ? "True" : "False";
  expect(
    body.items.map(({ metadata, conditions }: { metadata: { name: string }; conditions: { status: string }[] }) => [
      metadata.name,
      conditions[0]?.status,
    ]),
  ).toEqual([
    ["controller-manager", said],
    ["scheduler", said],
    ["etcd-0", "True"],
  ]);
  expect((await ask("GET", `${PATH}/etcd-0`)).body.conditions[0].message).toBe("ok");
  expect((await ask("GET", `${PATH}/other`)).code).toBe(404);
  const table = await ask("GET", `${PATH}/etcd-0`, undefined, {
    accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
  });
  expect(table.body.rows[0].cells).toEqual(["etcd-0", "Healthy", "ok", ""]);
});
