/**
 * Static tokens, a line each: `token,user,uid,"group1,group2"`, as kube-apiserver's `--token-auth-file` has them.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file
 */
export type StaticToken = { token: string; name: string; uid: string; groups: readonly string[] };

/** A comma and the field after it, which is plain, or quoted with its quotes doubled (RFC 4180). */
const FIELD = /,(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/g;

function fieldsOf(line: string): string[] | undefined {
  const matches = [...`,${line}`.matchAll(FIELD)];
  const length = matches.reduce((sum, [whole]) => sum + whole.length, 0);
  if (length !== line.length + 1) return undefined;
  return matches.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain?.trim() ?? "");
}

/** Throws an error that names the line, and tells nothing of what is in it. */
export function readTokenFile(text: string): StaticToken[] {
  const tokens: StaticToken[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const fields = fieldsOf(line);
    if (!fields) throw new Error(`line ${i + 1} of the tokens has a stray quote`);
    const [token = "", name = "", uid, groups = ""] = fields;
    if (uid === undefined)
      throw new Error(`line ${i + 1} of the tokens must have at least 3 columns (token, user name, user uid)`);
    if (!token || !name) throw new Error(`line ${i + 1} of the tokens has no token or no user name`);
    tokens.push({ token, name, uid, groups: groups.split(",").flatMap((group) => group.trim() || []) });
  }
  return tokens;
}
