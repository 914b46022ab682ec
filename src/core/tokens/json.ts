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

/**
 * Deterministic JSON: members of every object in ascending byte order of their keys, no white space, escapes of {@link encodeJson}.
 * Members that are `undefined` are left out; values with `toJSON` (dates) are written through it.
 */
export function encodeSorted(value: unknown): string {
  if (typeof value !== "object" || value === null) return encodeJson(value);
  if (Array.isArray(value)) return `[${value.map(encodeSorted).join(",")}]`;
  if ("toJSON" in value && typeof value.toJSON === "function") return encodeJson(value);
  let text = "{";
  for (const key of Object.keys(value).sort(byteOrder)) {
    const member: unknown = Reflect.get(value, key);
    if (member === undefined) continue;
    text += `${text.length > 1 ? "," : ""}${encodeJson(key)}:${encodeSorted(member)}`;
  }
  return `${text}}`;
}
