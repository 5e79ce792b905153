CREATE TABLE objects (resource TEXT, namespace TEXT, name TEXT, json TEXT NOT NULL, PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO objects VALUES ('nodes', '', 'a', '{"apiVersion":"v1","kind":"Node","metadata":{"name":"a","uid":"n"},"spec":{"podCIDR":"10.244.0.0/24"}}');
INSERT INTO objects VALUES ('pods', 'shop', 'web', '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop","uid":"p"},"spec":{"nodeName":"a","containers":[{"name":"c","image":"busybox"}]}}');
INSERT INTO facts VALUES ('revision', '212');
INSERT INTO facts VALUES ('welcome', '{"type":"welcome","version":1,"now":1795500000000,"clusterId":"3a3f7a0e-6a33-4a57-9d0f-6f1c6f0b7a11","clusterDomain":"cluster.local","dnsAddress":"10.96.0.10","apiAddress":"10.96.0.1","serviceCIDR":"10.96.0.0/16","ca":"CA","apiCertificate":"CERTIFICATE","apiKey":"KEY"}');
