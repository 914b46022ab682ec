/** Structured log (NDJSON). Never pass tokens, codes, passwords, key material, full e-mail addresses or phone numbers. */
export interface Log {
  fatal(fields: object, message: string): void;
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  child(bindings: object): Log;
}

/** Discards everything; for tests of pure parts. */
export const silentLog: Log = {
  fatal() {},
  error() {},
  warn() {},
  info() {},
  debug() {},
  child: () => silentLog,
};
