DROP INDEX `credentials_kind`;--> statement-breakpoint
CREATE INDEX `credentials_kind` ON `credentials` (`kind`,`subject`);