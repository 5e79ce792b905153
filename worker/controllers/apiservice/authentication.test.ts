import { expect, test } from "vitest";
import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Namespace } from "../../kinds/core/namespace.ts";
import { Model } from "../testing.ts";
import { authenticationPublisher } from "./authentication.ts";

const NAME = "extension-apiserver-authentication";

test("extension servers are told whom to believe, whoever deletes or adds to it", () => {
  const model = new Model([authenticationPublisher({ client: "CLIENT CA\n", frontProxy: "PROXY CA\n" })]);
  const published = () => {
    model.rest();
    return model.get(ConfigMap, NAME, "kube-system");
  };
  model.create(Namespace, { metadata: { name: "kube-system" } } as Namespace);
  const wanted = {
    "client-ca-file": "CLIENT CA\n",
    "requestheader-allowed-names": '["front-proxy-client"]',
    "requestheader-client-ca-file": "PROXY CA\n",
    "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
    "requestheader-group-headers": '["X-Remote-Group"]',
    "requestheader-uid-headers": '["X-Remote-Uid"]',
    "requestheader-username-headers": '["X-Remote-User"]',
  };
  expect(published()?.data).toEqual(wanted);
  model.delete(ConfigMap, published() as ConfigMap);
  expect(published()?.data).toEqual(wanted);
  model.edit(ConfigMap, published() as ConfigMap, (copy) => {
    copy.data = {
      "requestheader-client-ca-file": "OTHER CA\n",
      "requestheader-allowed-names": '["other"]',
      "requestheader-username-headers": "not JSON",
    };
  });
  expect(published()?.data).toEqual({
    ...wanted,
    "requestheader-client-ca-file": "OTHER CA\nPROXY CA\n",
    "requestheader-allowed-names": '["other","front-proxy-client"]',
  });
});
