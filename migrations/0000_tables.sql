CREATE TABLE `changes` (
	`revision` integer PRIMARY KEY NOT NULL,
	`resource` text NOT NULL,
	`namespace` text NOT NULL,
	`name` text NOT NULL,
	`uid` text NOT NULL,
	`type` text NOT NULL,
	`previous` integer,
	`json` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `credentials` (
	`hash` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`expires` integer
);
--> statement-breakpoint
CREATE INDEX `credentials_kind` ON `credentials` (`kind`);--> statement-breakpoint
CREATE TABLE `objects` (
	`resource` text NOT NULL,
	`namespace` text NOT NULL,
	`name` text NOT NULL,
	`uid` text NOT NULL,
	`revision` integer NOT NULL,
	`refs` text NOT NULL,
	`json` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `objects_key` ON `objects` (`resource`,`namespace`,`name`);--> statement-breakpoint
CREATE TABLE `refs` (
	`ref` text NOT NULL,
	`resource` text NOT NULL,
	`namespace` text NOT NULL,
	`name` text NOT NULL,
	PRIMARY KEY(`ref`, `resource`, `namespace`, `name`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `settings` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `work` (
	`controller` text NOT NULL,
	`key` text NOT NULL,
	`due` integer NOT NULL,
	PRIMARY KEY(`controller`, `key`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `work_due` ON `work` (`due`);