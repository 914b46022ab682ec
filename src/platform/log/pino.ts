import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from "pino";
import type { LogConfig } from "../../config/config.ts";
import type { Log } from "./port.ts";
import { prettyLine } from "./pretty.ts";
import { redactFields, redactText } from "./redaction.ts";

export interface LogOptions {
  /** Name of the process in each line, e.g. `http-1`. */
  readonly worker: string;
  /** Fields of whatever the line is written in the midst of: the ids of its trace. */
  readonly around?: (() => object) | undefined;
  /** Where lines go instead of standard output. */
  readonly write?: (line: string) => void;
}

/**
 * One JSON line per event: `level`, `ts` (RFC 3339), `pid`, `worker`, `msg` and the fields given. Fields and message pass through
 * redaction; `pretty` writes lines for a terminal instead.
 */
export function createLog(config: Pick<LogConfig, "level" | "pretty">, options: LogOptions): Log {
  const logger = pino(
    {
      level: config.level,
      base: { pid: process.pid, worker: options.worker },
      messageKey: "msg",
      ...(options.around === undefined ? {} : { mixin: options.around }),
      timestamp: () => stdTimeFunctions.isoTime().replace('"time"', '"ts"'),
      formatters: { level: (label) => ({ level: label }) },
      // Errors have been described by the redaction; pino's own serializer would look for an Error again.
      serializers: { err: (described: unknown) => described },
    },
    stream(config, options),
  );
  return wrap(logger);
}

function stream(config: Pick<LogConfig, "pretty">, options: LogOptions): DestinationStream {
  const write = options.write;
  if (config.pretty) {
    const out = write ?? ((line: string) => process.stdout.write(line));
    return { write: (line) => void out(prettyLine(line)) };
  }
  if (write !== undefined) return { write };
  // Synchronous, so that no line is lost when a process dies; a line is one small write to a pipe.
  return destination({ dest: 1, sync: true });
}

function wrap(logger: Logger): Log {
  const at = (level: "fatal" | "error" | "warn" | "info" | "debug") => (fields: object, message: string) => {
    if (logger.isLevelEnabled(level)) logger[level](redactFields(fields), redactText(message));
  };
  return {
    fatal: at("fatal"),
    error: at("error"),
    warn: at("warn"),
    info: at("info"),
    debug: at("debug"),
    child: (bindings) => wrap(logger.child(redactFields(bindings))),
  };
}
