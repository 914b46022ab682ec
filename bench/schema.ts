/** Schema of every database a bench makes. */
export const schema = "authkit";
/** Password of every seeded account. */
export const password = "correct horse battery staple";

export const emailOf = (n: number): string => `user${n}@example.com`;
/** Refresh token of the seeded session `n`; 43 characters like a real one. */
export const refreshTokenOf = (n: number): string => `bench${String(n).padStart(38, "0")}`;
