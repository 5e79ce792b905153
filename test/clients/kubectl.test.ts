/** What kubectl does beyond an application's daily life, with every version of it that is here. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, TestCluster } from "../support/cluster.ts";
import { kubectls } from "../support/programs.ts";

const clients = await kubectls();
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
  await cluster.apply(GADGETS);
  await cluster.ok("wait --for=condition=Established crd/gadgets.shop.example.com");
});
afterAll(() => cluster?.stop());

const GADGETS = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: gadgets.shop.example.com }
spec:
  group: shop.example.com
  scope: Namespaced
  names: { plural: gadgets, singular: gadget, kind: Gadget, shortNames: [gd], categories: [all] }
  versions:
    - name: v1
      served: true
      storage: true
      subresources: { status: {}, scale: { specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas } }
      additionalPrinterColumns: [{ name: Size, type: integer, jsonPath: .spec.size }]
      schema:
        openAPIV3Schema:
          type: object
          description: A thing that is sold.
          properties:
            spec:
              type: object
              required: [size]
              properties:
                size: { type: integer, minimum: 1, description: How large it is. }
                replicas: { type: integer }
                parts: { type: array, items: { type: object, properties: { name: { type: string } } } }
            status: { type: object, properties: { replicas: { type: integer }, phase: { type: string } } }
`;
const configMap = (name: string, color: string, labels = "app: shop") => `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, labels: { ${labels} } }
data: { color: ${color} }
`;
const all = (...documents: string[]) => documents.join("---\n");

describe.each(clients)("kubectl $version", ({ version, path }) => {
  const namespace = `client-${version.replaceAll(/\W/g, "-")}`;
  const kubectl = (args: string, input?: string) =>
    cluster.kubectl(["-n", namespace, ...args.split(" ")], { kubectl: path, ...(input && { input }) });
  const ok = (args: string, input?: string) =>
    cluster.ok(["-n", namespace, ...args.split(" ")], { kubectl: path, ...(input && { input }) });

  beforeAll(() => cluster.ok(`create namespace ${namespace}`));

  test("diff says what would change, and by its exit code whether anything would", async () => {
    const made = await kubectl("diff -f -", configMap("diffed", "red"));
    expect(made.code).toBe(1);
    expect(made.stdout).toContain("+  color: red");
    await ok("apply -f -", configMap("diffed", "red"));
    const changed = await kubectl("diff -f -", configMap("diffed", "blue"));
    expect(changed.code).toBe(1);
    expect(changed.stdout).toMatch(/-\s+color: red\n\+\s+color: blue/);
    expect(changed.stdout).not.toContain("resourceVersion");
    expect((await kubectl("diff -f -", configMap("diffed", "red"))).code).toBe(0);
    const owned = await kubectl("diff --server-side --force-conflicts -f -", configMap("diffed", "blue"));
    expect(owned.code).toBe(1);
    expect(owned.stdout).toMatch(/-\s+color: red\n\+\s+color: blue/);
    expect(await ok("get cm diffed -o jsonpath={.data.color}")).toBe("red");
  });

  test("apply --prune deletes what is gone from the files, and nothing else", async () => {
    const label = "set: pruned";
    await ok("apply -f -", configMap("beside", "red", "set: other"));
    const both = all(configMap("kept", "red", label), configMap("dropped", "red", label));
    await ok("apply --prune -l set=pruned -f -", both);
    const said = await ok(
      "apply --prune -l set=pruned --prune-allowlist=core/v1/ConfigMap -f -",
      configMap("kept", "red", label),
    );
    expect(said).toMatch(/configmap\/kept unchanged\nconfigmap\/dropped pruned/);
    expect(await ok("get cm -o name --field-selector metadata.name!=kube-root-ca.crt")).not.toContain("dropped");
    expect(await ok("get cm kept beside -o name")).toBe("configmap/kept\nconfigmap/beside\n");
  });

  test("apply sets prune what they had and no longer have, whatever its kind", async () => {
    const apply = (input: string) =>
      cluster.kubectl(
        ["KUBECTL_APPLYSET=true", path, "-n", namespace, "apply", "--prune", "--applyset=shop", "-f", "-"],
        { kubectl: "env", input },
      );
    const gadget = "apiVersion: shop.example.com/v1\nkind: Gadget\nmetadata: { name: one }\nspec: { size: 3 }\n";
    const first = await apply(all(configMap("in-set", "red"), gadget));
    expect(first.code, first.all).toBe(0);
    expect(await ok("get secret shop -o jsonpath={.metadata.labels}")).toContain("applyset.kubernetes.io/id");
    expect(await ok("get gadgets -l applyset.kubernetes.io/part-of -o name")).toBe("gadget.shop.example.com/one\n");
    const second = await apply(configMap("in-set", "red"));
    expect(second.code, second.all).toBe(0);
    expect(second.stdout).toContain("gadget.shop.example.com/one pruned");
    expect((await kubectl("get gadget one")).stderr).toContain("NotFound");
  });

  test("apply --server-side names whoever owns a field, takes it by force, and takes over from client-side apply", async () => {
    await ok("apply -f -", configMap("shared", "red"));
    await ok("apply --server-side -f -", configMap("shared", "red"));
    const managers = await ok("get cm shared -o jsonpath={.metadata.managedFields[*].manager} --show-managed-fields");
    expect(managers).toBe("kubectl kubectl-last-applied");
    await ok("apply --server-side --field-manager=other --force-conflicts -f -", configMap("shared", "green"));
    const refused = await kubectl("apply --server-side -f -", configMap("shared", "blue"));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('conflict with "other": .data.color');
    await ok("apply --server-side --force-conflicts -f -", configMap("shared", "blue"));
    expect(await ok("get cm shared -o jsonpath={.data.color}")).toBe("blue");
    const before = await ok("get cm shared -o jsonpath={.metadata.resourceVersion}");
    await ok("apply --server-side -f -", configMap("shared", "blue"));
    expect(await ok("get cm shared -o jsonpath={.metadata.resourceVersion}")).toBe(before);
  });

  test("wait for a condition, a field, creation and deletion", async () => {
    await ok("create deployment waited --image=busybox:test -- sleep 1000");
    expect(await ok("wait --for=condition=Available deployment/waited --timeout=60s")).toContain("condition met");
    await ok("wait --for=jsonpath={.status.readyReplicas}=1 deployment/waited --timeout=60s");
    const late = await kubectl("wait --for=condition=Ready pod/nobody --timeout=300s");
    expect([late.code, late.stderr.trim()]).toEqual([1, 'Error from server (NotFound): pods "nobody" not found']);
    const created = kubectl("wait --for=create configmap/awaited --timeout=300s");
    await ok("create configmap awaited");
    expect((await created).code).toBe(0);
    const gone = kubectl("wait --for=delete configmap/awaited --timeout=300s");
    await ok("delete configmap awaited");
    expect((await gone).code).toBe(0);
  });

  test("events tell what became of an object", async () => {
    await ok("run told --image=busybox:test --restart=Never -- true");
    await ok("wait --for=jsonpath={.status.phase}=Succeeded pod/told --timeout=60s");
    await eventually("all is told", async () => {
      const rows = (await ok("events --for pod/told")).trim().split("\n");
      expect(rows[0]).toMatch(/^LAST SEEN\s+TYPE\s+REASON\s+OBJECT\s+MESSAGE$/);
      const reasons = rows.slice(1).map((row) => row.split(/\s{2,}/)[2]);
      expect(reasons.sort()).toEqual(["Created", "Pulled", "Scheduled", "Started"]);
      return true;
    });
    expect(await ok("events --types=Warning --for pod/told")).toBe("");
  });

  test("explain knows custom resources at once, with their sentences", async () => {
    const shown = await ok("explain gadget.spec");
    expect(shown).toMatch(/GROUP:\s+shop\.example\.com\nKIND:\s+Gadget\nVERSION:\s+v1/);
    expect(shown).toMatch(/size\t<integer> -required-\n\s+How large it is\./);
    expect(await ok("explain gadgets --recursive")).toMatch(/parts\t<\[\]Object>\n\s+name\t<string>/);
    expect(await ok("explain gadget --output plaintext-openapiv2")).toContain("A thing that is sold.");
  });

  test("custom resources are as good as built-in ones", async () => {
    await ok(
      "create -f -",
      "apiVersion: shop.example.com/v1\nkind: Gadget\nmetadata: { name: two }\nspec: { size: 5 }\n",
    );
    expect(await ok("get gd")).toMatch(/NAME\s+SIZE\ntwo\s+5\n/);
    expect(await ok("get all")).toContain("gadget.shop.example.com/two");
    expect(await ok("scale gadget two --replicas=4")).toContain("scaled");
    expect(await ok("get gadget two -o jsonpath={.spec.replicas}")).toBe("4");
    await ok('patch gadget two --subresource=status --type=merge -p {"status":{"phase":"Sold"}}');
    expect(await ok("get gadget two --subresource=status -o jsonpath={.status.phase}")).toBe("Sold");
    const wrong = await kubectl('patch gadget two --type=merge -p {"spec":{"size":0}}');
    expect(wrong.stderr).toContain(
      "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1",
    );
  });

  test("auth says who one is and what one may", async () => {
    expect(await ok("auth whoami -o jsonpath={.status.userInfo.groups}")).toContain("system:masters");
    await ok("create serviceaccount clerk");
    await ok(`create role clerk --verb=get,list --resource=configmaps`);
    await ok(`create rolebinding clerk --role=clerk --serviceaccount=${namespace}:clerk`);
    const as = `--as=system:serviceaccount:${namespace}:clerk`;
    expect((await kubectl(`auth can-i get configmaps ${as}`)).stdout).toBe("yes\n");
    expect(await kubectl(`auth can-i delete configmaps ${as}`)).toMatchObject({ code: 1, stdout: "no\n" });
    expect(await ok(`auth can-i --list ${as}`)).toMatch(/configmaps\s+\[\]\s+\[\]\s+\[get list\]/);
  });

  test("auth reconcile adds what a role lacks and takes nothing away", async () => {
    const role = (verbs: string) =>
      `apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: grown, namespace: ${namespace} }\nrules: [{ apiGroups: [""], resources: [pods], verbs: [${verbs}] }]\n`;
    await ok("create -f -", role("get, delete"));
    await ok("auth reconcile -f -", role("get, list"));
    const verbs = await ok("get role grown -o jsonpath={.rules[*].verbs}");
    for (const verb of ["get", "delete", "list"]) expect(verbs).toContain(verb);
  });

  test("a ConfigMap is edited, labelled, replaced and deleted as anywhere", async () => {
    await ok("create configmap plain --from-literal=a=1");
    await ok("label configmap plain tier=gold");
    await ok("annotate configmap plain note=x");
    expect(await kubectl("label configmap plain tier=lead")).toMatchObject({ code: 1 });
    await ok("label configmap plain tier=lead --overwrite");
    expect(await ok("get cm -l tier=lead -o name")).toBe("configmap/plain\n");
    expect(await ok("get cm plain -o custom-columns=N:.metadata.name,A:.data.a")).toMatch(/N\s+A\nplain\s+1/);
    await ok("replace --force -f -", configMap("plain", "red"));
    expect(await ok("get cm plain -o jsonpath={.data}")).toBe('{"color":"red"}');
    const edited = await cluster.kubectl(["EDITOR=sed -i s/red/blue/", path, "-n", namespace, "edit", "cm", "plain"], {
      kubectl: "env",
    });
    expect(edited.code, edited.all).toBe(0);
    expect(await ok("get cm plain -o jsonpath={.data.color}")).toBe("blue");
    expect(await ok("delete cm plain --dry-run=server")).toMatch(/deleted .*\(server dry run\)/);
    expect(await ok("delete cm -l app=shop")).toContain('configmap "plain" deleted');
  });
});
