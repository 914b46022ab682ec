/** A licence expression: an id (with an exception, if any), or several joined. */
export type LicenseExpression =
  | { readonly id: string }
  | { readonly operator: "AND" | "OR"; readonly operands: readonly LicenseExpression[] };

/**
 * Parses an SPDX licence expression (SPDX 2.3, annex D): ids, `WITH`, `AND`, `OR`, parentheses; `AND` binds more tightly. An exception stays part of its id.
 * @throws Error when it is none
 */
export function parseLicense(text: string): LicenseExpression {
  const tokens = text.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const refuse = (): never => {
    throw new Error(`${JSON.stringify(text)} is no SPDX licence expression`);
  };

  function single(): LicenseExpression {
    const token = tokens[at++];
    if (token === "(") {
      const inner = joined("OR");
      return tokens[at++] === ")" ? inner : refuse();
    }
    if (token === undefined || !/^[A-Za-z0-9][A-Za-z0-9.+-]*$/.test(token) || /^(AND|OR|WITH)$/.test(token))
      return refuse();
    if (tokens[at] !== "WITH") return { id: token };
    at++;
    const exception = tokens[at++];
    return exception === undefined || !/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(exception)
      ? refuse()
      : { id: `${token} WITH ${exception}` };
  }

  function joined(operator: "AND" | "OR"): LicenseExpression {
    const operand = operator === "OR" ? () => joined("AND") : single;
    const first = operand();
    const operands = [first];
    while (tokens[at] === operator) {
      at++;
      operands.push(operand());
    }
    return operands.length === 1 ? first : { operator, operands };
  }

  const expression = joined("OR");
  return at === tokens.length ? expression : refuse();
}

/** Whether the allowed licences are enough: all of what is joined by `AND`, one of what is joined by `OR`. */
export function permits(expression: LicenseExpression, allowed: ReadonlySet<string>): boolean {
  if ("id" in expression) return allowed.has(expression.id);
  const met = (operand: LicenseExpression): boolean => permits(operand, allowed);
  return expression.operator === "AND" ? expression.operands.every(met) : expression.operands.some(met);
}
