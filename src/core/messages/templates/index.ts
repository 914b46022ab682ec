import type { Config } from "../../../config/config.ts";
import type { Channel, MessageKind } from "../types.ts";
import { german } from "./de.ts";
import { english } from "./en.ts";
import { spanish } from "./es.ts";
import { escapeHtml, fill, type Template, type Values } from "./fill.ts";
import { layOut, type TemplateSet } from "./layout.ts";
import { type OverridePart, overrideName, readOverrides } from "./overrides.ts";
import { categories, type Texts } from "./wording.ts";

/** What a message is made of. */
export interface Rendering {
  readonly kind: MessageKind;
  readonly to: string;
  readonly language: string;
  readonly username?: string | undefined;
  readonly code?: string | undefined;
  readonly url?: string | undefined;
  readonly device?: string | undefined;
  /** Seconds the code or link still lives. */
  readonly validSeconds: number;
}

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly categories: readonly string[];
}

export interface Templates {
  mail(message: Rendering): RenderedMail;
  sms(message: Rendering): string;
}

const builtIn: ReadonlyMap<string, Texts> = new Map([
  ["en", english],
  ["es", spanish],
  ["de", german],
]);

/** A template without HTML of its own gets its text in a plain page. */
type Chosen = Omit<TemplateSet, "html"> & { readonly html: Template | undefined; readonly language: string };

/**
 * The texts of every message, in the message's language, else the configured default, else English. Each built-in text can be replaced by
 * a file `<kind>.<language>.<subject|txt|html|sms>` of `senders.templates`, also in languages that have none built in.
 *
 * @throws Error naming the file when a template cannot be read.
 */
export function createTemplates(config: Pick<Config, "senders" | "languages">): Templates {
  const { appName, templates: directory } = config.senders;
  const overrides = directory === undefined ? new Map<string, Template>() : readOverrides(directory);
  const chosen = new Map<string, Chosen | undefined>();

  function choose(kind: MessageKind, language: string): Chosen | undefined {
    const own = (part: OverridePart): Template | undefined =>
      overrides.get(overrideName(kind, language, part));
    const texts = builtIn.get(language);
    const text = own("txt");
    const sms = own("sms");
    if (texts === undefined && text === undefined && sms === undefined) return undefined;
    const base = layOut(kind, texts ?? english);
    return {
      language,
      subject: own("subject") ?? base.subject,
      text: text ?? base.text,
      html: own("html") ?? (text === undefined ? base.html : undefined),
      sms: sms ?? base.sms,
    };
  }

  function find(kind: MessageKind, language: string, channel: Channel): Chosen {
    for (const candidate of [language, config.languages.default]) {
      const key = `${kind}.${candidate}`;
      if (!chosen.has(key)) chosen.set(key, choose(kind, candidate));
      const found = chosen.get(key);
      // In a language that is not built in, a mail needs its text and an SMS its own.
      const part = channel === "email" ? "txt" : "sms";
      if (
        found !== undefined &&
        (builtIn.has(candidate) || overrides.has(overrideName(kind, candidate, part)))
      )
        return found;
    }
    return choose(kind, "en") ?? { ...layOut(kind, english), language: "en" };
  }

  function values(message: Rendering, language: string): Values {
    const { code = "", url: link = "", username = "", device = "", to } = message;
    const dies = code !== "" || link !== "";
    return {
      app: appName,
      username,
      code,
      link,
      to,
      device,
      duration: dies ? duration(message.validSeconds, language) : "",
    };
  }

  return {
    mail(message) {
      const set = find(message.kind, message.language, "email");
      const filled = values(message, set.language);
      const text = fill(set.text, filled);
      return {
        subject: fill(set.subject, filled).replace(/\s+/g, " ").trim(),
        text,
        html: set.html === undefined ? plainPage(text) : fill(set.html, filled, escapeHtml),
        categories: categories[message.kind],
      };
    },
    sms(message) {
      const set = find(message.kind, message.language, "sms");
      return fill(set.sms, values(message, set.language)).trim();
    },
  };
}

const units = [
  { unit: "day", seconds: 86_400, from: 2 * 86_400 },
  { unit: "hour", seconds: 3_600, from: 3_600 },
  { unit: "minute", seconds: 60, from: 0 },
] as const;

/** `15 minutes`, `1 hora`, `7 Tage`: the largest unit that does not promise too much. */
function duration(seconds: number, language: string): string {
  const { unit, seconds: size } =
    units.find((one) => seconds >= one.from && seconds % one.seconds < one.seconds / 10) ?? units[2];
  const count = Math.max(1, Math.floor(seconds / size));
  const text = new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(count);
  return language === "es" ? text.normalize("NFD").replace(/\p{M}/gu, "") : text;
}

function plainPage(text: string): string {
  const paragraphs = escapeHtml(text.trim())
    .split(/\n{2,}/)
    .map((paragraph) => `<p>${paragraph.replaceAll("\n", "<br>\n")}</p>\n`);
  return `<!doctype html>\n<html>\n<head><meta charset="utf-8"></head>\n<body>\n${paragraphs.join("")}</body>\n</html>\n`;
}
