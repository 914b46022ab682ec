const unsafe = /[<>&\u2028\u2029]/;
const everyUnsafe = /[<>&\u2028\u2029]/g;
const surrogate = /[\ud800-\udfff]/;

function escapeUnsafe(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** JSON text with `<`, `>`, `&`, U+2028 and U+2029 escaped, members as they come. */
export function encodeJson(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return unsafe.test(text) ? text.replace(everyUnsafe, escapeUnsafe) : text;
}

// UTF-16 order equals UTF-8 byte order except between surrogates and U+E000–U+FFFF.
function byteOrder(a: string, b: string): number {
  if (surrogate.test(a) || surrogate.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Keys JavaScript objects do not keep in the order they were added. */
const unorderable = /^(?:[0-9]+|__proto__)$/;
const irregular = Symbol("irregular");

/** A copy whose members were added in order, so that one pass of the built-in encoder writes it; `irregular` when there is none. */
function sortedCopy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) {
      const copy = sortedCopy(item);
      if (copy === irregular) return irregular;
      items.push(copy);
    }
    return items;
  }
  if ("toJSON" in value && typeof value.toJSON === "function") return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort(byteOrder)) {
    if (unorderable.test(key)) return irregular;
    const member = sortedCopy(Reflect.get(value, key));
    if (member === irregular) return irregular;
    copy[key] = member;
  }
  return copy;
}

function encodeMembers(value: unknown): string {
  if (typeof value !== "object" || value === null) return encodeJson(value);
  if (Array.isArray(value)) return `[${value.map(encodeMembers).join(",")}]`;
  if ("toJSON" in value && typeof value.toJSON === "function") return encodeJson(value);
  let text = "{";
  for (const key of Object.keys(value).sort(byteOrder)) {
    const member: unknown = Reflect.get(value, key);
    if (member === undefined) continue;
    text += `${text.length > 1 ? "," : ""}${encodeJson(key)}:${encodeMembers(member)}`;
  }
  return `${text}}`;
}

/**
 * Deterministic JSON: members of every object in ascending byte order of their keys, no white space, escapes of {@link encodeJson}.
 * Members that are `undefined` are left out; values with `toJSON` (dates) are written through it.
 */
export function encodeSorted(value: unknown): string {
  const copy = sortedCopy(value);
  return copy === irregular ? encodeMembers(value) : encodeJson(copy);
}
