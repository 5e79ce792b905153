import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { files } from "../local/home.ts";
import { writeIdentity } from "../local/join.ts";
import type { RegistryCredential } from "../runtime.ts";
import { clusterRegistry, identityFor } from "./cluster-registry.ts";
import { withRegistryAccess } from "./docker-config.ts";

const CA = "-----BEGIN CERTIFICATE-----\n";
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "skerry-registry-"));
});
afterEach(() => rmSync(home, { recursive: true }));

const joined = (server: string, given: { token?: string; ca?: string; address?: string } = {}) =>
  writeIdentity(home, { server, node: "n1", token: "secret", ...given });
const userFor = (repository: string) => identityFor(clusterRegistry(home), repository);

describe("a node is known to the cluster's registry", () => {
  const known = { username: "node", password: "secret", isForServer: true };

  test("at the host that it joined, and nowhere else", () => {
    expect(userFor("192.0.2.2:6443/team/app")).toBeUndefined();
    joined("https://192.0.2.2:6443");
    expect(userFor("192.0.2.2:6443/team/app")).toEqual(known);
    for (const host of [
      "192.0.2.2",
      "192.0.2.2:6444",
      "192.0.2.22:6443",
      "192.0.2.3:6443",
      "127.0.0.1:6443",
      "docker.io",
    ])
      expect(userFor(`${host}/team/app`)).toBeUndefined();
    joined("https://skerry.example.com");
    expect(userFor("skerry.example.com/team/app")).toEqual(known);
    expect(userFor("example.com/skerry.example.com/app")).toBeUndefined();
  });

  test("for repositories of its own cluster", () => {
    joined("https://192.0.2.2:6443/clusters/shore");
    expect(userFor("192.0.2.2:6443/clusters/shore/team/app")).toEqual(known);
    expect(userFor("192.0.2.2:6443/clusters/shore2/team/app")).toBeUndefined();
    expect(userFor("192.0.2.2:6443/team/app")).toBeUndefined();
    joined("https://192.0.2.2:6443");
    expect(userFor("192.0.2.2:6443/clusters/shore/team/app")).toBeUndefined();
  });

  test("by the token that it has now, and over TLS alone", () => {
    joined("https://192.0.2.2:6443");
    joined("https://192.0.2.2:6443", { token: "newer" });
    expect(userFor("192.0.2.2:6443/team/app")?.password).toBe("newer");
    joined("http://192.0.2.2:6443");
    expect(userFor("192.0.2.2:6443/team/app")).toBeUndefined();
  });

  test("on the server's own machine by the names that others have for it, too", () => {
    joined("https://127.0.0.1:6443", { address: "192.0.2.2" });
    expect(clusterRegistry(home)?.hosts).toEqual(["127.0.0.1:6443"]); // a tunnel may end there
    mkdirSync(files(home).storage);
    writeFileSync(files(home).secret, "");
    expect(clusterRegistry(home)?.hosts).toEqual(["127.0.0.1:6443", "localhost:6443", "192.0.2.2:6443"]);
  });
});

describe("nerdctl is told of the cluster's registry", () => {
  const host = "127.0.0.1:6443";
  const mine: RegistryCredential = { username: "node", password: "secret", isForServer: true };
  const given: RegistryCredential = { username: "jane", password: "pw" };

  beforeEach(() => joined(`https://${host}`, { ca: CA }));

  /** What the user says of hosts, in the second of two folders. */
  function says(name: string, hosts: string, text: string): void {
    const folder = join(home, hosts, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "hosts.toml"), text);
  }

  type Told = { users: Record<string, string>; hosts: string | undefined; ca: boolean };

  const told = (image: string, credential?: RegistryCredential): Promise<Told> =>
    withRegistryAccess(
      image,
      {
        parent: join(home, "pulls"),
        credential,
        hostsFolders: [join(home, "certs.d"), join(home, "etc")],
        clusterRegistry: clusterRegistry(home),
      },
      async ({ config, hosts }) => {
        const { auths } = JSON.parse(readFileSync(join(config, "config.json"), "utf8")) as {
          auths: Record<string, { auth: string }>;
        };
        const name = image.split("/")[0] ?? "";
        const file = join(hosts, name, "hosts.toml");
        expect(readdirSync(hosts)).toEqual(existsSync(file) ? [name] : []);
        return {
          users: Object.fromEntries(
            Object.entries(auths).map(([key, { auth }]) => [key, Buffer.from(auth, "base64").toString()]),
          ),
          hosts: existsSync(file) ? readFileSync(file, "utf8") : undefined,
          ca: existsSync(join(hosts, name, "ca.crt")) && !lstatSync(join(hosts, name)).isSymbolicLink(),
        };
      },
    );

  test("that it has TLS, by the CA that the node trusts, whoever pulls", async () => {
    const hosts = `server = "https://${host}"\nca = "ca.crt"\n`;
    expect(await told(`${host}/team/app:1`, mine)).toEqual({ users: { [host]: "node:secret" }, hosts, ca: true });
    expect(await told(`${host}/team/app:1`, given)).toEqual({ users: { [host]: "jane:pw" }, hosts, ca: true });
    expect(await told(`${host}/team/app:1`)).toEqual({ users: {}, hosts, ca: true });
    expect(readdirSync(join(home, "pulls"))).toEqual([]);
    joined(`https://${host}`);
    expect(await told(`${host}/team/app:1`)).toEqual({ users: {}, hosts: `server = "https://${host}"\n`, ca: false });
  });

  test("and nothing of it at another host, whatever credential is there", async () => {
    expect(await told("127.0.0.1:5000/team/app:1", mine)).toEqual({ users: {}, hosts: undefined, ca: false });
    says("_default", "certs.d", 'server = "https://mirror.example.com"');
    const elsewhere = await told("quay.io/team/app:1", given);
    expect(elsewhere.users).toEqual({ "quay.io": "jane:pw", "mirror.example.com:443": "jane:pw" });
    expect(elsewhere.hosts).toContain("mirror.example.com");
  });

  test("what the user says of this very host goes first, and of all hosts does not", async () => {
    says("_default", "certs.d", 'server = "https://mirror.example.com"');
    expect((await told(`${host}/team/app:1`)).ca).toBe(true);
    const text = `server = "https://${host}"\nca = "/etc/ca.crt"\n[host."https://mirror.example.com"]\n`;
    says("127.0.0.1_6443_", "etc", text);
    expect(await told(`${host}/team/app:1`, mine)).toEqual({
      users: { [host]: "node:secret" },
      hosts: text,
      ca: false,
    });
    expect(readFileSync(join(home, "etc/127.0.0.1_6443_/hosts.toml"), "utf8")).toBe(text);
  });

  test.each([
    `server = "http://${host}"`,
    `server = "https://${host}"\n[host."http://${host}"]`,
    `[host."https://mirror.example.com"]`,
    `server = "https://${host}"\nskip_verify = true`,
    "",
  ])("whom %j may lead to is not told who the node is", async (text) => {
    says(host, "certs.d", text);
    expect((await told(`${host}/team/app:1`, mine)).users).toEqual({});
    expect((await told(`${host}/team/app:1`, given)).users).toMatchObject({ [host]: "jane:pw" });
  });
});
