// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose files
import { expect, test } from "vitest";
import { converted } from "../testing/plan.ts";

type Workload = {
  spec: {
    replicas: number;
    template: {
      spec: {
        containers: { image: string; args?: string[]; env?: { name: string; value: string }[]; ports?: unknown[] }[];
      };
    };
  };
};
const container = (found: ReturnType<typeof converted>, name: string) =>
  found.find<Workload>("Deployment", name)?.spec.template.spec.containers[0];

test("anchors and merge keys: what is nearest counts", () => {
  const found = converted(`
x-one: &one { A: 1, B: 1 }
x-two: &two { B: 2, C: 2 }
services:
  web:
    image: web
    environment: { <<: [*one, *two], C: 3 }
`);
  expect(container(found, "web")?.env).toEqual([
    { name: "B", value: "1" },
    { name: "C", value: "3" },
    { name: "A", value: "1" },
  ]);
});

test("several files are merged: lists grow, commands do not, ports and volumes by what they are, tags undo", () => {
  const found = converted(
    {
      "a.yaml": `
services:
  web:
    image: web:1
    command: [serve, slowly]
    environment: [A=1, B=1]
    ports: ["80:80", "81:81"]
    expose: ["90"]
    dns: [1.1.1.1]
    labels: { old: x }
`,
      "b.yaml": `
services:
  web:
    image: web:2
    command: [serve]
    environment: { B: 2, C: 3 }
    ports: !override ["80:8080"]
    expose: ["90", "91"]
    labels: !reset {}
    dns: !reset []
`,
    },
    { files: ["a.yaml", "b.yaml"] },
  );
  expect(found.told).toEqual([]);
  expect(container(found, "web")).toMatchObject({
    image: "web:2",
    args: ["serve"],
    env: [
      { name: "A", value: "1" },
      { name: "B", value: "2" },
      { name: "C", value: "3" },
    ],
    ports: [8080, 90, 91].map((containerPort) => ({ containerPort, protocol: "TCP" })),
  });
});

test("the override file beside the usual one, .env, and the shell before it", () => {
  const files = {
    "docker-compose.yml": "services: { web: { image: 'web:${TAG}', command: '$WHO' } }",
    "docker-compose.override.yml": "services: { web: { scale: 3 } }",
    ".env": "TAG=file\nWHO=file\nCOMPOSE_PROJECT_NAME=Our Shop",
  };
  const found = converted(files, { environment: { TAG: "shell" } });
  expect(container(found, "web")).toMatchObject({ image: "web:shell", args: ["file"] });
  expect(found.find<Workload>("Deployment", "web")?.spec.replicas).toBe(3);
  expect(found.plan).toMatchObject({ project: "our-shop", namespace: "our-shop" });
});

test("extends: from here and from other files, whose paths are their own", () => {
  const found = converted({
    "compose.yaml": `
services:
  web: { extends: { file: common/base.yaml, service: base }, environment: { B: web } }
  more: { extends: web, command: more }
`,
    "common/base.yaml":
      "services: { root: { image: web }, base: { extends: root, env_file: base.env, environment: { A: base, B: base } } }",
    "common/base.env": "FROM=common",
  });
  expect(found.told).toEqual([]);
  expect(container(found, "more")).toMatchObject({
    image: "web",
    args: ["more"],
    env: [
      { name: "A", value: "base" },
      { name: "B", value: "web" },
    ],
    envFrom: [{ secretRef: { name: "more-env" } }],
  });
  const lost = converted(
    "services: { a: { extends: b }, b: { extends: a }, c: { image: c, extends: { service: x, file: y } } }",
  );
  expect(lost.told.join("\n")).toMatch(/extends itself/);
  expect(lost.told).toContain("invalid: compose.yaml:1: services.c.extends: there is no file /shop/y");
});

test("include: with variables and paths of its own, and no service twice", () => {
  const files = {
    "compose.yaml":
      "include: [{ path: db/compose.yaml, env_file: db/my.env }]\nservices: { web: { image: web, depends_on: [db] } }",
    "db/compose.yaml":
      "services: { db: { image: 'db:${TAG}', configs: [conf] } }\nconfigs: { conf: { file: ./db.conf } }",
    "db/my.env": "TAG=5",
    "db/db.conf": "port 1",
  };
  const found = converted(files);
  expect(found.told).toEqual([]);
  expect(container(found, "db")?.image).toBe("db:5");
  expect(found.find("ConfigMap", "conf")).toMatchObject({ data: { content: "port 1" } });
  expect(found.plan.services.map(({ name }) => name)).toEqual(["db", "web"]);
  const twice = converted({
    ...files,
    "compose.yaml": "include: [db/compose.yaml]\nservices: { db: { image: other } }",
  });
  expect(twice.told).toContain(
    "invalid: db/compose.yaml:1: services.db: what includes this file has one of that name already",
  );
});

test("profiles: only what is wanted, and what needs it says so", () => {
  const file = `
services:
  web: { image: web }
  debug: { image: debug, profiles: [debug, all] }
  tool: { image: tool, depends_on: { debug: { condition: service_started, required: false } } }
`;
  expect(converted(file).plan.services.map(({ name }) => name)).toEqual(["web", "tool"]);
  expect(converted(file, { profiles: ["debug"] }).plan.services.map(({ name }) => name)).toEqual([
    "web",
    "debug",
    "tool",
  ]);
  expect(converted(file, { environment: { COMPOSE_PROFILES: "*" } }).plan.services).toHaveLength(3);
  expect(converted(file.replace(", required: false", "")).told).toEqual([
    "invalid: compose.yaml:5: services.tool.depends_on.debug: debug is of a profile that is not wanted",
  ]);
});

test.each([
  ["services: [", "invalid: compose.yaml:1: YAML: "],
  ["- a", "invalid: compose.yaml:1: file: must be a mapping with services"],
  ["services: { web: { image: a, prots: [] } }", "services.web.prots: there is no such attribute: did you mean ports?"],
  [
    "services: { web: { image: a } }\nvolume: {}",
    "compose.yaml:2: volume: there is no such attribute: did you mean volumes?",
  ],
  ["services: { web: { image: '${TAG:?name one}' } }", "services.web.image: TAG has to be set: name one"],
  ["services: { web: { image: 'a:$TAG' } }", "note: compose.yaml:1: services.web.image: the variable TAG is not set"],
  ["services: { a: { image: a, depends_on: [b] }, b: { image: b, depends_on: [a] } }", "runs in a circle: a, b, a"],
  ["services: {}", "there are no services"],
])("%s is told", (file, wanted) => {
  expect(converted(file).told.join("\n")).toContain(wanted);
});

test("without a file there is nothing", () => {
  expect(() => converted({})).toThrow("/shop has no compose.yaml, compose.yml, docker-compose.yml");
  expect(() => converted({}, { files: ["x.yaml"] })).toThrow("there is no file /shop/x.yaml");
});
