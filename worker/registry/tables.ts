/** The tables of a Registry object, in steps that are taken once each: a released one is never changed. */
export const REGISTRY_MIGRATIONS: readonly { tag: string; statements: readonly string[] }[] = [
  {
    tag: "0000_registry",
    statements: [
      // Open uploads. `hash` is the state of SHA-256 after `size` bytes.
      `CREATE TABLE uploads (id text PRIMARY KEY, repository text NOT NULL, size integer NOT NULL, hash text NOT NULL,
        touched integer NOT NULL) WITHOUT ROWID`,
      // Where bytes lie: objects in the folder of the bucket that is named by the upload that brought them.
      `CREATE TABLE chunks (upload text NOT NULL, start integer NOT NULL, size integer NOT NULL, name text NOT NULL,
        PRIMARY KEY (upload, start)) WITHOUT ROWID`,
      // What is whole, once for all repositories. `checked` where its folder is known to hold nothing else.
      `CREATE TABLE contents (digest text PRIMARY KEY, upload text NOT NULL, size integer NOT NULL,
        checked integer NOT NULL) WITHOUT ROWID`,
      `CREATE UNIQUE INDEX contents_upload ON contents (upload)`,
      // Which repositories have a blob. `seen` is when a client was last told so.
      `CREATE TABLE blobs (repository text NOT NULL, digest text NOT NULL, seen integer NOT NULL,
        PRIMARY KEY (repository, digest)) WITHOUT ROWID`,
      `CREATE INDEX blobs_digest ON blobs (digest)`,
      `CREATE TABLE manifests (repository text NOT NULL, digest text NOT NULL, media_type text NOT NULL,
        artifact_type text NOT NULL, subject text NOT NULL, annotations text NOT NULL, seen integer NOT NULL,
        PRIMARY KEY (repository, digest)) WITHOUT ROWID`,
      `CREATE INDEX manifests_digest ON manifests (digest)`,
      `CREATE INDEX manifests_subject ON manifests (repository, subject) WHERE subject <> ''`,
      // What a manifest cannot be pulled without.
      `CREATE TABLE needs (repository text NOT NULL, manifest text NOT NULL, digest text NOT NULL,
        PRIMARY KEY (repository, manifest, digest)) WITHOUT ROWID`,
      `CREATE TABLE tags (repository text NOT NULL, name text NOT NULL, digest text NOT NULL,
        PRIMARY KEY (repository, name)) WITHOUT ROWID`,
      // Folders of the bucket that nobody can ask for any more, until they are empty.
      `CREATE TABLE garbage (upload text PRIMARY KEY) WITHOUT ROWID`,
    ],
  },
  {
    tag: "0001_quotas",
    statements: [
      // How many bytes the repositories below a prefix may hold; below "" are all.
      `CREATE TABLE quotas (prefix text PRIMARY KEY, bytes integer NOT NULL) WITHOUT ROWID`,
    ],
  },
  {
    tag: "0002_brought",
    statements: [
      // Which repository's upload brought the bytes that lie there; "" where that is not known, or nobody's any more.
      `ALTER TABLE contents ADD COLUMN repository text NOT NULL DEFAULT ''`,
      `UPDATE contents SET repository = coalesce((SELECT min(repository) FROM
        (SELECT repository, digest FROM blobs UNION SELECT repository, digest FROM manifests) AS holders
        WHERE holders.digest = contents.digest), '')`,
      // The same of garbage. `digest` is "" where they were no content.
      `ALTER TABLE garbage ADD COLUMN repository text NOT NULL DEFAULT ''`,
      `ALTER TABLE garbage ADD COLUMN digest text NOT NULL DEFAULT ''`,
      `ALTER TABLE garbage ADD COLUMN size integer NOT NULL DEFAULT 0`,
    ],
  },
];
