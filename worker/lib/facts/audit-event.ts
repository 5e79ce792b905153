/** What is read of an event in `/skerry/audit`: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ */
export type AuditEvent = {
  auditID: string;
  stageTimestamp: string;
  verb: string;
  requestURI: string;
  user: { username?: string };
  impersonatedUser?: { username?: string };
  sourceIPs?: string[];
  objectRef?: { resource: string; apiGroup?: string; subresource?: string; namespace?: string; name?: string };
  responseStatus?: { code?: number; reason?: string };
  annotations?: Record<string, string>;
};
