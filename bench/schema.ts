/** Schema of every database a bench makes. */
export const schema = "authkit";
/** Password of every seeded account. */
export const password = "correct horse battery staple";

export const emailOf = (n: number): string => `user${n}@example.com`;
/** Refresh token of the seeded session `n`; 43 characters like a real one. */
export const refreshTokenOf = (n: number): string => `bench${String(n).padStart(38, "0")}`;
/** Id of the seeded account `n`, as `seed.ts` makes it. */
export function userIdOf(n: number): string {
  const time = (1_790_000_000_000 + n).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, "0")}`;
}
