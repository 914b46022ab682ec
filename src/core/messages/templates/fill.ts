/** What templates may name. */
export const placeholders = ["app", "username", "code", "link", "duration", "to", "device"] as const;

export type Placeholder = (typeof placeholders)[number];
export type Values = Readonly<Record<Placeholder, string>>;

const known: ReadonlySet<string> = new Set(placeholders);

type Part =
  | { readonly text: string }
  | { readonly value: Placeholder }
  | { readonly when: Placeholder; readonly present: boolean; readonly parts: readonly Part[] };

/** A template read once. */
export type Template = readonly Part[];

function isPlaceholder(name: string): name is Placeholder {
  return known.has(name);
}

const tag = /\{\{\s*([#^/]?)\s*([A-Za-z_]*)\s*\}\}/g;

interface Open {
  readonly name: Placeholder | undefined;
  readonly present: boolean;
  readonly parts: Part[];
}

/**
 * Reads `{{name}}`, `{{#name}}…{{/name}}` (only when there is a value) and `{{^name}}…{{/name}}` (only when there is none).
 *
 * @throws Error that names the unknown or unbalanced tag.
 */
export function parseTemplate(source: string): Template {
  const stack: Open[] = [{ name: undefined, present: true, parts: [] }];
  let position = 0;
  for (const match of source.matchAll(tag)) {
    const top = stack.at(-1);
    if (top === undefined) break;
    const [whole, mark = "", name = ""] = match;
    if (!isPlaceholder(name))
      throw new Error(
        `${whole} is not known; there are ${placeholders.map((one) => `{{${one}}}`).join(" ")}`,
      );
    if (match.index > position) top.parts.push({ text: source.slice(position, match.index) });
    position = match.index + whole.length;
    if (mark === "") top.parts.push({ value: name });
    else if (mark === "/") {
      const outer = stack.at(-2);
      if (outer === undefined || top.name !== name) throw new Error(`${whole} closes nothing`);
      outer.parts.push({ when: name, present: top.present, parts: top.parts });
      stack.pop();
    } else stack.push({ name, present: mark === "#", parts: [] });
  }
  const [root, unclosed] = stack;
  if (root === undefined || unclosed !== undefined)
    throw new Error(`{{#${unclosed?.name ?? ""}}} is not closed`);
  if (position < source.length) root.parts.push({ text: source.slice(position) });
  return root.parts;
}

/** The template with its values, each passed through `encode`. */
export function fill(
  template: Template,
  values: Values,
  encode: (value: string) => string = (v) => v,
): string {
  let result = "";
  for (const part of template) {
    if ("text" in part) result += part.text;
    else if ("value" in part) result += encode(values[part.value]);
    else if ((values[part.when] !== "") === part.present) result += fill(part.parts, values, encode);
  }
  return result;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
