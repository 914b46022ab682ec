/** A moment as browser routes show it: RFC 3339 in UTC, whole seconds. */
export function seconds(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, "Z");
}
