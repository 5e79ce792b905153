CREATE TABLE `staged` (
	`resource` text NOT NULL,
	`namespace` text NOT NULL,
	`name` text NOT NULL,
	`uid` text NOT NULL,
	`revision` integer NOT NULL,
	`refs` text NOT NULL,
	`json` text NOT NULL
);
