/** Which list a password is on: the commonest few ten thousand, or the larger one an operator supplied. */
export type BreachKind = "common" | "breached";

/** Offline lists of passwords nobody should choose any more. Answers from memory, without I/O. */
export interface BreachedPasswords {
  /** Undefined when on no list. A false alarm happens for about one password in ten thousand. */
  find(password: string): BreachKind | undefined;
}
