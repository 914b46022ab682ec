/** A node of `EXPLAIN (VERBOSE, FORMAT JSON)`: how PostgreSQL has understood a statement, whatever way it was written. */
export interface PlanNode {
  readonly "Node Type": string;
  readonly Operation?: string;
  readonly "Relation Name"?: string;
  readonly Alias?: string;
  readonly "Index Cond"?: string;
  readonly "Recheck Cond"?: string;
  readonly Filter?: string;
  readonly "Hash Cond"?: string;
  readonly "Merge Cond"?: string;
  readonly "Join Filter"?: string;
  readonly Plans?: readonly PlanNode[];
}

const conditions = [
  "Index Cond",
  "Recheck Cond",
  "Filter",
  "Hash Cond",
  "Merge Cond",
  "Join Filter",
] as const;

export function nodesOf(plan: PlanNode): readonly PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/** The parts of a condition that all hold: split at each `AND` outside of parentheses and quotes. */
function conjuncts(condition: string): string[] {
  const text =
    condition.startsWith("(") && closes(condition, 0) === condition.length - 1
      ? condition.slice(1, -1)
      : condition;
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "(") at = closes(text, at);
    else if (text[at] === "'") at = text.indexOf("'", at + 1);
    else if (text.startsWith(" AND ", at)) {
      parts.push(text.slice(from, at));
      from = at + 5;
    }
    if (at < 0) return [text];
  }
  parts.push(text.slice(from));
  return parts.length === 1 ? [text] : parts.flatMap(conjuncts);
}

/** Where the parenthesis opened at `open` closes. */
function closes(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "'") at = text.indexOf("'", at + 1);
    else if (text[at] === "(") depth++;
    else if (text[at] === ")" && --depth === 0) return at;
  }
  return text.length;
}

/** A column or parameter without casts and parentheses; anything else stays no name. */
function term(side: string): string {
  return side.replace(/::[a-z_ ]+/g, "").replace(/[()]/g, "");
}

/** `a.b = $1`, `a.b = c.d`: what a condition says to be the same. */
function equality(part: string): readonly [string, string] | undefined {
  const [, left, right, more] = /^(.+?) = (.+?)(?: = (.+))?$/.exec(part) ?? [];
  if (left === undefined || right === undefined || more !== undefined) return undefined;
  const sides = [term(left), term(right)] as const;
  return sides.every((side) => /^(?:\$\d+|\w+\.\w+)$/.test(side)) ? sides : undefined;
}

/**
 * Aliases of tables in `columns` whose column is neither a parameter nor the same as one that is: rows of these would be looked for everywhere.
 *
 * @param columns column by table.
 */
export function unbound(plan: PlanNode, columns: Readonly<Record<string, string>>): string[] {
  const nodes = nodesOf(plan);
  const equalities = nodes.flatMap((node) =>
    conditions.flatMap((name) =>
      conjuncts(node[name] ?? "").flatMap((part) =>
        [equality(part) ?? []].filter((pair) => pair.length === 2),
      ),
    ),
  );
  const bound = new Set<string>();
  for (let before = -1; before < bound.size; ) {
    before = bound.size;
    for (const [a = "", b = ""] of equalities)
      for (const [one, other] of [
        [a, b],
        [b, a],
      ] as const)
        if (one.startsWith("$") || bound.has(one)) bound.add(other);
  }
  return nodes.flatMap((node) => {
    const table = node["Relation Name"];
    const column = table === undefined ? undefined : columns[table];
    if (table === undefined || column === undefined || !node["Node Type"].endsWith("Scan")) return [];
    const alias = node.Alias ?? table;
    return bound.has(`${alias}.${column}`) ? [] : [`${table} AS ${alias}`];
  });
}

/** Tables in `columns` whose rows a statement inserts without naming the column. */
export function insertedWithout(text: string, columns: Readonly<Record<string, string>>): string[] {
  return [...text.matchAll(/INSERT INTO\s+"?\w+"?\.(\w+)(?:\s+AS\s+\w+)?\s*\(([^)]*)\)/gi)].flatMap(
    ([, table = "", list = ""]) => {
      const column = columns[table];
      return column === undefined || list.split(",").some((one) => one.trim() === column) ? [] : [table];
    },
  );
}
