/** A real application through kubectl: what a user does in the first hour. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { effects } from "../../agent/effects.ts";
import { spawn } from "../../agent/process.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { fetchText } from "../support/http.ts";
import { kubectls } from "../support/programs.ts";

const APPLICATION = `
apiVersion: v1
kind: ConfigMap
metadata: { name: greeting }
data: { text: hello, index.html: "it works\\n" }
---
apiVersion: v1
kind: Secret
metadata: { name: key }
stringData: { password: swordfish }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: server
          image: busybox:test
          command: [sh, -c, 'echo "$TEXT from $POD"; exec httpd -f -v -p 8080 -h /www']
          env:
            - { name: TEXT, valueFrom: { configMapKeyRef: { name: greeting, key: text } } }
            - { name: PASSWORD, valueFrom: { secretKeyRef: { name: key, key: password } } }
            - { name: POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /index.html, port: http }, periodSeconds: 1, timeoutSeconds: 10 }
          livenessProbe: { tcpSocket: { port: http }, periodSeconds: 5, timeoutSeconds: 10 }
          resources: { requests: { cpu: 10m, memory: 16Mi }, limits: { cpu: 500m, memory: 64Mi } }
          volumeMounts:
            - { name: www, mountPath: /www }
            - { name: key, mountPath: /etc/key, readOnly: true }
      volumes:
        - { name: www, configMap: { name: greeting } }
        - { name: key, secret: { secretName: key } }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports: [{ name: http, port: 80, targetPort: http }]
---
apiVersion: v1
kind: Pod
metadata: { name: client }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - { name: client, image: busybox:test, command: [sh, -c, 'echo ready; exec sleep 3600'] }
`;

let cluster: TestCluster;
const tools = await kubectls();

beforeAll(async () => {
  cluster = await TestCluster.start();
});
afterAll(async () => {
  await cluster?.stop();
});

describe.each(tools)("with kubectl $version", ({ path: kubectl }) => {
  const namespace = `app-${kubectl.length}`;
  const ok = (args: string | string[], input?: string) =>
    cluster.ok(["-n", namespace, ...(typeof args === "string" ? args.split(" ") : args)], { kubectl, input });
  const fails = async (args: string | string[], input?: string) => {
    const done = await cluster.kubectl(["-n", namespace, ...(typeof args === "string" ? args.split(" ") : args)], {
      kubectl,
      input,
    });
    expect(done.code).not.toBe(0);
    return done.all;
  };
  const folder = mkdtempSync(join(tmpdir(), "skerry-app-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("apply makes a Deployment, its Service and a client, and they become ready", async () => {
    expect(await ok(`create namespace ${namespace}`)).toBe(`namespace/${namespace} created\n`);
    const out = await ok("apply -f -", APPLICATION);
    expect(out.trim().split("\n")).toEqual([
      "configmap/greeting created",
      "secret/key created",
      "deployment.apps/web created",
      "service/web created",
      "pod/client created",
    ]);
    expect(await ok("rollout status deployment/web --timeout=60s")).toContain(
      'deployment "web" successfully rolled out',
    );
    expect(await ok("wait --for=condition=Ready pod/client --timeout=30s")).toBe("pod/client condition met\n");
    expect(await ok("wait --for=jsonpath={.status.readyReplicas}=3 deployment/web")).toBe(
      "deployment.apps/web condition met\n",
    );
  });

  test("get -o wide prints what users look for", async () => {
    const [head, row] = (await ok("get deployment web -o wide")).split("\n") as [string, string];
    expect(head.trim().split(/\s{2,}/)).toEqual([
      "NAME",
      "READY",
      "UP-TO-DATE",
      "AVAILABLE",
      "AGE",
      "CONTAINERS",
      "IMAGES",
      "SELECTOR",
    ]);
    expect(row).toMatch(/^web\s+3\/3\s+3\s+3\s+[\dms]+\s+server\s+busybox:test\s+app=web/);
    const pods = (await ok("get pods -l app=web -o wide --no-headers")).trim().split("\n");
    expect(pods).toHaveLength(3);
    for (const pod of pods)
      expect(pod).toMatch(
        /^web-[a-z0-9]+-[a-z0-9]{5}\s+1\/1\s+Running\s+0\s+[\dms]+\s+10\.[\d.]+\s+node-a\s+<none>\s+<none>$/,
      );
    expect(await ok("get service web")).toMatch(/web\s+ClusterIP\s+10\.[\d.]+\s+<none>\s+80\/TCP\s+[\dms]+/);
  });

  test("the client reaches the Service by name, and the containers have their env and files", async () => {
    for (const name of ["web", `web.${namespace}`, `web.${namespace}.svc.cluster.local`])
      await eventually(
        `${name} answers`,
        async () => (await ok(["exec", "client", "--", "wget", "-qO-", `http://${name}/index.html`])) === "it works\n",
      );
    expect(await ok("exec deploy/web -- sh -c env")).toContain("PASSWORD=swordfish");
    expect(await ok("exec deploy/web -- cat /etc/key/password")).toBe("swordfish");
  });

  test("a load balancer answers at the node's address, and another has to take another port", async () => {
    const expose = (name: string) =>
      ok(`expose deployment web --name=${name} --type=LoadBalancer --port=8099 --target-port=http`);
    await expose("outside");
    const told = "{.status.loadBalancer.ingress[0].ip}";
    await ok(`wait --for=jsonpath=${told} service/outside --timeout=30s`);
    const address = await ok(`get service outside -o jsonpath=${told}`);
    expect(await ok("get service outside --no-headers")).toMatch(
      new RegExp(`^outside\\s+LoadBalancer\\s+[\\d.]+\\s+${address}\\s+8099:\\d+/TCP`),
    );
    await eventually("it answers", async () => (await fetchText(`http://${address}:8099/index.html`)) === "it works\n");
    await expose("late");
    expect(await ok("get service late --no-headers")).toMatch(/LoadBalancer\s+[\d.]+\s+<pending>/);
    const reason = `port TCP/8099 of the nodes is in use by service "${namespace}/outside"`;
    await eventually("it tells why", async () => (await ok("describe service late")).includes(reason));
    await ok("delete service outside");
    await ok(`wait --for=jsonpath=${told} service/late --timeout=30s`);
    await ok("delete service late");
  });

  test("describe tells about pod, node and events", async () => {
    const pod = await ok("describe pod -l app=web");
    for (const part of [
      "Controlled By:  ReplicaSet/web-",
      "Readiness:  http-get http://:http/index.html",
      "QoS Class:                   Burstable",
      "Successfully assigned",
    ])
      expect(pod).toContain(part);
    expect(await ok("describe deployment web")).toMatch(/NewReplicaSet:\s+web-\w+ \(3\/3 replicas created\)/);
    expect(await ok("describe service web")).toMatch(/Endpoints:\s+10\.[\d.]+:8080,10\.[\d.]+:8080/);
    expect(await ok("describe node node-a")).toMatch(/Ready\s+True/);
    await eventually("the event is there", async () =>
      /Normal\s+Started\s+Pod\/client/.test(await ok("events --for pod/client")),
    );
  });

  test("logs, by pod and by label, with tail and timestamps", async () => {
    await eventually("it has said so", async () => (await ok("logs client")) === "ready\n");
    expect(await ok("logs -l app=web --tail=1 --prefix")).toContain("[pod/web-");
    expect(await ok("logs client --timestamps")).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z ready\n$/);
    expect(await fails("logs client --previous")).toContain(
      'previous terminated container "client" in pod "client" not found',
    );
  });

  test("logs -f follows until it is cut", async () => {
    await ok([
      "run",
      "ticker",
      "--image=busybox:test",
      "--restart=Never",
      "--",
      "sh",
      "-c",
      "for i in 1 2 3 4; do echo tick $i; sleep 1; done",
    ]);
    const begun = async () => /Running|Succeeded/.test(await ok("get pod ticker -o jsonpath={.status.phase}"));
    await eventually("it has begun", begun);
    expect(await ok("logs -f ticker")).toBe("tick 1\ntick 2\ntick 3\ntick 4\n");
    await ok("wait --for=jsonpath={.status.phase}=Succeeded pod/ticker --timeout=20s");
    expect(await ok("get pod ticker --no-headers")).toMatch(/ticker\s+0\/1\s+Completed\s+0/);
    await ok("delete pod ticker");
  });

  test("exec passes input, output, errors and the exit code", async () => {
    expect(await ok(["exec", "-i", "client", "--", "cat"], "through\n")).toBe("through\n");
    const done = await cluster.kubectl(
      ["-n", namespace, "exec", "client", "--", "sh", "-c", "echo out; echo err >&2; exit 7"],
      { kubectl },
    );
    expect(done.stdout).toBe("out\n");
    expect(done.stderr).toBe("err\ncommand terminated with exit code 7\n");
    expect(done.code).toBe(7);
    expect(await fails("exec client -c nobody -- true")).toContain("container nobody is not valid for pod client");
  });

  test("exec -it gives a terminal", async () => {
    const line = `${kubectl} -n ${namespace} exec -it client -- sh -c 'test -t 0 && echo is a terminal; exit 3'`;
    const child = spawn("script", ["-q", "-e", "-c", line, "/dev/null"], {
      env: cluster.environment,
      stdio: ["ignore", "pipe", "ignore"],
    });
    let out = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect(out).toContain("is a terminal");
    expect(code).toBe(3);
  });

  test("cp copies there and back, also what no buffer on the way holds", async () => {
    const [from, back] = [join(folder, "from"), join(folder, "back")];
    const bytes = randomBytes(24 * 1024 * 1024);
    writeFileSync(from, bytes);
    await ok(["cp", from, "client:/tmp/copied"]);
    expect(await ok("exec client -- wc -c /tmp/copied")).toBe(`${bytes.length} /tmp/copied\n`);
    await ok(["cp", "client:/tmp/copied", back]);
    expect(readFileSync(back).equals(bytes)).toBe(true);
  });

  test("port-forward carries requests to the Service's pod", async () => {
    const child = spawn(kubectl, ["-n", namespace, "port-forward", "service/web", ":80"], {
      env: cluster.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    const collect = (chunk: Buffer) => {
      out += chunk.toString();
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    try {
      const port = await eventually("a forwarded port", async () => /127\.0\.0\.1:(\d+)/.exec(out)?.[1]);
      for (let n = 0; n < 3; n++) expect(await fetchText(`http://127.0.0.1:${port}/index.html`)).toBe("it works\n");
    } finally {
      child.kill("SIGTERM");
    }
  });

  test("attach shows the output from now on", async () => {
    await ok(["run", "talker", "--image=busybox:test", "--", "sh", "-c", "while true; do echo word; sleep 0.2; done"]);
    await ok("wait --for=condition=Ready pod/talker --timeout=20s");
    const attached = cluster.follow(["-n", namespace, "attach", "talker"], { kubectl });
    await eventually("words come", async () => /^(word\n){3}/.test(attached.said()));
    await attached.stop();
    await ok("delete pod talker --grace-period=1");
  });

  test("run -i --rm feeds a program and takes it away", async () => {
    const args = [
      "run",
      "sum",
      "-i",
      "--rm",
      "--image=busybox:test",
      "--restart=Never",
      "--pod-running-timeout=300s",
      "--",
      "sh",
      "-c",
      "read line; echo got $line",
    ];
    const out = await ok(args, "some input\n");
    expect(out).toContain("got some input");
    await eventually("it is gone", async () => (await fails("get pod sum")).includes("not found"));
  });

  test("get -w shows changes as they happen, and no blank row", async () => {
    const child = spawn(kubectl, ["-n", namespace, "get", "configmaps", "-w", "--no-headers"], {
      env: cluster.environment,
      stdio: ["ignore", "pipe", "ignore"],
    });
    let out = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    try {
      await eventually("the list", async () => out.includes("greeting"));
      await ok("create configmap watched --from-literal=a=b");
      await eventually("the new one", async () => out.includes("watched"));
      await effects.sleep(300);
      expect(
        out
          .split("\n")
          .slice(0, -1)
          .every((line) => /^\S+\s+\d+\s+\d+s?/.test(line)),
      ).toBe(true);
    } finally {
      child.kill("SIGTERM");
    }
    await ok("delete configmap watched");
  });

  test("explain, api-resources, diff and auth can-i answer from the same facts", async () => {
    expect(await ok("explain deployment.spec.strategy.rollingUpdate.maxSurge")).toMatch(
      /FIELD: maxSurge <IntOrString>/,
    );
    expect(await ok("api-resources --api-group=apps -o name")).toContain("deployments.apps");
    const differs = (input: string) => cluster.kubectl(["-n", namespace, "diff", "-f", "-"], { kubectl, input });
    // It asks twice for each object, whose status may have changed between.
    await eventually("nothing differs", async () => (await differs(APPLICATION)).code === 0);
    const diff = await differs(APPLICATION.replace("replicas: 3", "replicas: 4"));
    expect(diff.code).toBe(1);
    expect(diff.stdout).toContain("+  replicas: 4");
    expect(await ok("auth can-i create pods")).toBe("yes\n");
    expect(await fails("auth can-i create pods --as=jane")).toBe("no\n");
  });

  test("label, annotate, patch of each type and scale change the object", async () => {
    expect(await ok("label deployment web tier=front")).toBe("deployment.apps/web labeled\n");
    expect(await ok("annotate deployment web note=x")).toBe("deployment.apps/web annotated\n");
    await ok([
      "patch",
      "deployment",
      "web",
      "--type=strategic",
      "-p",
      '{"spec":{"template":{"spec":{"containers":[{"name":"server","env":[{"name":"EXTRA","value":"1"}]}]}}}}',
    ]);
    await ok([
      "patch",
      "deployment",
      "web",
      "--type=merge",
      "-p",
      '{"spec":{"minReadySeconds":0,"revisionHistoryLimit":5}}',
    ]);
    await ok([
      "patch",
      "deployment",
      "web",
      "--type=json",
      "-p",
      '[{"op":"test","path":"/spec/revisionHistoryLimit","value":5},{"op":"replace","path":"/spec/revisionHistoryLimit","value":4}]',
    ]);
    expect(
      await ok(
        "get deployment web -o jsonpath={.spec.revisionHistoryLimit},{.metadata.labels.tier},{.metadata.annotations.note}",
      ),
    ).toBe("4,front,x");
    expect(await ok("get deployment web -o jsonpath={.spec.template.spec.containers[0].env[*].name}")).toBe(
      "EXTRA TEXT PASSWORD POD",
    );
    expect(await ok("scale deployment web --replicas=2")).toBe("deployment.apps/web scaled\n");
    await ok("rollout status deployment/web --timeout=60s");
    await eventually(
      "two pods",
      async () => (await ok("get pods -l app=web --no-headers")).trim().split("\n").length === 2,
    );
  });

  test("set image, rollout history, undo and restart", async () => {
    const image = () => ok("get deployment web -o jsonpath={.spec.template.spec.containers[0].image}");
    await ok("set image deployment/web server=busybox:absent");
    await eventually("the bad image is told", async () =>
      /ErrImagePull|ImagePullBackOff/.test(await ok("get pods -l app=web")),
    );
    expect((await ok("get pods -l app=web --no-headers")).match(/1\/1\s+Running/g)?.length).toBeGreaterThanOrEqual(2);
    expect(await ok("rollout undo deployment/web")).toBe("deployment.apps/web rolled back\n");
    await ok("rollout status deployment/web --timeout=60s");
    expect(await image()).toBe("busybox:test");
    expect((await ok("rollout history deployment/web")).match(/^\d+\s/gm)?.length).toBeGreaterThanOrEqual(2);
    expect(await ok("rollout restart deployment/web")).toBe("deployment.apps/web restarted\n");
    await ok("rollout status deployment/web --timeout=60s");
  });

  test("apply --server-side tells of conflicts, and --force-conflicts takes over", async () => {
    const wish = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: shared }\ndata: { a: '1' }\n";
    expect(await ok("apply --server-side -f -", wish)).toBe("configmap/shared serverside-applied\n");
    const other = wish.replace("'1'", "'2'");
    const refused = await fails("apply --server-side --field-manager=other -f -", other);
    expect(refused).toContain('conflict with "kubectl": .data.a');
    expect(await ok("apply --server-side --field-manager=other --force-conflicts -f -", other)).toContain(
      "serverside-applied",
    );
    expect(await ok("get configmap shared -o jsonpath={.data.a}")).toBe("2");
  });

  test("delete in all propagation modes", async () => {
    const replicaSets = async () => (await ok("get replicasets -l app=web -o name")).trim();
    expect(await ok("delete deployment web --cascade=orphan")).toBe(
      `deployment.apps "web" deleted${suffix(kubectl, namespace)}\n`,
    );
    await eventually("the ReplicaSets stay without an owner", async () => {
      const owners = await ok("get replicasets -l app=web -o jsonpath={.items[*].metadata.ownerReferences}");
      return (await replicaSets()) !== "" && owners === "";
    });
    await ok("apply -f -", APPLICATION);
    await ok("rollout status deployment/web --timeout=60s");
    await ok("delete deployment web --cascade=foreground --timeout=60s");
    expect(await replicaSets()).toBe("");
    await ok("apply -f -", APPLICATION);
    await ok("delete deployment web --cascade=background");
    await eventually("pods are collected", async () => (await ok("get pods -l app=web -o name")) === "");
  });

  test("deleting the namespace takes everything with it", async () => {
    await cluster.ok(`delete namespace ${namespace} --timeout=60s`, { kubectl });
    expect(await fails("get pods client")).toContain("not found");
    await eventually("no container of it is left", async () => {
      const { stdout } = await cluster.nerdctl(
        "ps",
        "-a",
        "-q",
        "--filter",
        `label=skerry.dev/pod-namespace=${namespace}`,
      );
      return stdout.trim() === "";
    });
  });
});

/** Newer kubectl says from which namespace. */
const suffix = (kubectl: string, namespace: string) => (kubectl.includes("1.35") ? ` from ${namespace} namespace` : "");
