import type { Method } from "../contract/methods/index.ts";
import type { AuditEntry } from "../core/audit/types.ts";
import { mintedEntry } from "../core/tokens/index.ts";

function at(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (inner, name) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, name) : undefined),
      value,
    );
}

/** `kind:value` of what a call acted upon; undefined when it names nothing, or several things. */
export function mutationTarget(method: Method, args: unknown, result: unknown): string | undefined {
  const target = method.mutates;
  if (target === undefined) return undefined;
  const values =
    target.result === undefined
      ? (target.args ?? []).map((path) => at(args, path))
      : [at(result, target.result)];
  const names = values.map((value) => (Array.isArray(value) && value.length === 1 ? value[0] : value));
  if (names.length === 0 || names.some((name) => typeof name !== "string") || names[0] === "")
    return undefined;
  return `${target.kind}:${names.filter((name) => name !== "").join("/")}`;
}

/** The row about a token a call has made, in the token's own words; undefined for calls that make none. */
export function mintAudit(method: Method, result: unknown): AuditEntry | undefined {
  if (method.mints === undefined) return undefined;
  const token = typeof result === "string" ? result : at(result, "token");
  if (typeof token !== "string") return undefined;
  return mintedEntry(method.name, token);
}

/** The audit row of a mutating call; undefined for methods that change nothing. `outcome`: `ok` or the code answered. */
export function managementAudit(
  method: Method,
  args: unknown,
  result: unknown,
  outcome: string,
): AuditEntry | undefined {
  if (method.mutates === undefined) return undefined;
  const lists = typeof args === "object" && args !== null ? Object.values(args).filter(Array.isArray) : [];
  const count = lists[0]?.length;
  return {
    action: "management.called",
    target: mutationTarget(method, args, result),
    outcome,
    details: count === undefined ? { method: method.name } : { method: method.name, count },
  };
}
