/** Generated from the SQL files beside it by `npm run migrations`. */
export type Migration = { tag: string; statements: readonly string[] };

export const MIGRATIONS: readonly Migration[] = [
  {
    "tag": "0000_tables",
    "statements": [
      "CREATE TABLE `changes` (\n\t`revision` integer PRIMARY KEY NOT NULL,\n\t`resource` text NOT NULL,\n\t`namespace` text NOT NULL,\n\t`name` text NOT NULL,\n\t`uid` text NOT NULL,\n\t`type` text NOT NULL,\n\t`previous` integer,\n\t`json` text NOT NULL\n);",
      "CREATE TABLE `credentials` (\n\t`hash` text PRIMARY KEY NOT NULL,\n\t`kind` text NOT NULL,\n\t`subject` text NOT NULL,\n\t`expires` integer\n);",
      "CREATE INDEX `credentials_kind` ON `credentials` (`kind`);",
      "CREATE TABLE `objects` (\n\t`resource` text NOT NULL,\n\t`namespace` text NOT NULL,\n\t`name` text NOT NULL,\n\t`uid` text NOT NULL,\n\t`revision` integer NOT NULL,\n\t`refs` text NOT NULL,\n\t`json` text NOT NULL\n);",
      "CREATE UNIQUE INDEX `objects_key` ON `objects` (`resource`,`namespace`,`name`);",
      "CREATE TABLE `refs` (\n\t`ref` text NOT NULL,\n\t`resource` text NOT NULL,\n\t`namespace` text NOT NULL,\n\t`name` text NOT NULL,\n\tPRIMARY KEY(`ref`, `resource`, `namespace`, `name`)\n) WITHOUT ROWID;",
      "CREATE TABLE `settings` (\n\t`name` text PRIMARY KEY NOT NULL,\n\t`value` text NOT NULL\n);",
      "CREATE TABLE `work` (\n\t`controller` text NOT NULL,\n\t`key` text NOT NULL,\n\t`due` integer NOT NULL,\n\tPRIMARY KEY(`controller`, `key`)\n) WITHOUT ROWID;",
      "CREATE INDEX `work_due` ON `work` (`due`);"
    ]
  },
  {
    "tag": "0001_credentials_by_subject",
    "statements": [
      "DROP INDEX `credentials_kind`;",
      "CREATE INDEX `credentials_kind` ON `credentials` (`kind`,`subject`);"
    ]
  },
  {
    "tag": "0002_staged",
    "statements": [
      "CREATE TABLE `staged` (\n\t`resource` text NOT NULL,\n\t`namespace` text NOT NULL,\n\t`name` text NOT NULL,\n\t`uid` text NOT NULL,\n\t`revision` integer NOT NULL,\n\t`refs` text NOT NULL,\n\t`json` text NOT NULL\n);"
    ]
  },
  {
    "tag": "0003_journal",
    "statements": [
      "CREATE TABLE `journal` (\n\t`id` integer PRIMARY KEY NOT NULL,\n\t`at` integer NOT NULL,\n\t`lines` text NOT NULL\n);"
    ]
  }
];
