/**
 * Whether a grant covers a permission. Both are trimmed, case-sensitive and split at `:`. A grant that is empty, `*`, or whose first segment is
 * empty or `*` covers nothing; `ns:*` covers all of `ns`; otherwise both have as many segments, and each after the first is equal or `*` in
 * the grant.
 */
export function covers(grant: string, permission: string): boolean {
  const granted = grant.trim().split(":");
  const asked = permission.trim().split(":");
  const [namespace = ""] = granted;
  if (namespace === "" || namespace === "*" || asked[0] !== namespace) return false;
  if (granted.length === 2 && granted[1] === "*") return true;
  return (
    granted.length === asked.length &&
    granted.every((segment, at) => segment === asked[at] || (at > 0 && segment === "*"))
  );
}

/** Whether any of the grants covers the permission. */
export function covered(grants: readonly string[], permission: string): boolean {
  return grants.some((grant) => covers(grant, permission));
}
