/** Key material that cannot be used. The message says which source, what is wrong and how to put it right; it never holds key text. */
export class SigningKeyError extends Error {
  override readonly name = "SigningKeyError";

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}
