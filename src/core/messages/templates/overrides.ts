import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type MessageKind, messageKinds } from "../types.ts";
import { parseTemplate, type Template } from "./fill.ts";

const parts = ["subject", "txt", "html", "sms"] as const;

/** `subject`, `txt` and `html` make a mail, `sms` is the text message. */
export type OverridePart = (typeof parts)[number];

/** Templates an operator put in place of built-in ones, by `<kind>.<language>.<part>`. */
export type Overrides = ReadonlyMap<string, Template>;

export function overrideName(kind: MessageKind, language: string, part: OverridePart): string {
  return `${kind}.${language}.${part}`;
}

const kinds: ReadonlySet<string> = new Set(messageKinds);
const partNames: ReadonlySet<string> = new Set(parts);

/**
 * Reads a directory of templates. Files called otherwise are left alone, unless they look like a mistyped template.
 *
 * @throws Error naming the file: unreadable, an unknown kind or an unknown placeholder.
 */
export function readOverrides(directory: string): Overrides {
  const found = new Map<string, Template>();
  for (const file of readdirSync(directory)) {
    const [kind = "", language = "", part = "", ...rest] = file.split(".");
    if (!partNames.has(part) || rest.length > 0 || !/^[a-z]{2}$/.test(language)) continue;
    const path = join(directory, file);
    if (!kinds.has(kind)) throw new Error(`${path}: there is no message ${JSON.stringify(kind)}`);
    try {
      const source = readFileSync(path, "utf8");
      found.set(file, parseTemplate(part === "subject" || part === "sms" ? source.trim() : source));
    } catch (error) {
      throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  return found;
}
