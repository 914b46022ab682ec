import type { MessageKind } from "../types.ts";
import { parseTemplate, type Template } from "./fill.ts";
import type { Texts } from "./wording.ts";

/** The four texts a message of one kind and language can have. */
export interface TemplateSet {
  readonly subject: Template;
  readonly text: Template;
  readonly html: Template;
  readonly sms: Template;
}

/** Builds the templates of one kind from its wording. */
export function layOut(kind: MessageKind, texts: Texts): TemplateSet {
  const { subject, intro, sms, closing } = texts.kinds[kind];
  const end = closing === undefined ? "" : `\n${closing}\n`;
  const text =
    `{{#username}}${texts.greeting}\n\n{{/username}}${intro}\n` +
    `{{#code}}\n${texts.code} {{code}}\n{{/code}}{{#link}}\n${texts.link}\n{{link}}\n{{/link}}` +
    `{{#duration}}\n${texts.validity}\n{{/duration}}${end}`;
  return {
    subject: parseTemplate(subject),
    text: parseTemplate(text),
    html: parseTemplate(page(kind, texts)),
    sms: parseTemplate(smsText(sms, texts)),
  };
}

function smsText(label: string, texts: Texts): string {
  const { smsLink } = texts;
  return (
    `{{app}}{{#code}} ${label}: {{code}}{{#link}} ${smsLink} {{link}}{{/link}}{{/code}}` +
    `{{^code}}{{#link}} ${label}: {{link}}{{/link}}{{^link}}: ${label}{{/link}}{{/code}}`
  );
}

const frame =
  "margin:0 auto;max-width:32rem;padding:1.5rem;font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,sans-serif;color:#1a1a1a";
const codeStyle = "font:600 1.5rem/1 ui-monospace,Menlo,Consolas,monospace;letter-spacing:.15em";

/** One column without images or outside resources, readable in any client. */
function page(kind: MessageKind, texts: Texts): string {
  const { intro, closing } = texts.kinds[kind];
  const muted = (words: string): string => `<p style="color:#555;font-size:.875rem">${words}</p>\n`;
  return (
    `<!doctype html>\n<html>\n<head><meta charset="utf-8"></head>\n<body style="${frame}">\n` +
    `{{#username}}<p>${texts.greeting}</p>\n{{/username}}<p>${intro}</p>\n` +
    `{{#code}}<p>${texts.code}</p>\n<p style="${codeStyle}">{{code}}</p>\n{{/code}}` +
    `{{#link}}<p>${texts.link}</p>\n<p><a href="{{link}}" style="word-break:break-all">{{link}}</a></p>\n{{/link}}` +
    `{{#duration}}${muted(texts.validity)}{{/duration}}` +
    (closing === undefined ? "" : muted(closing)) +
    `</body>\n</html>\n`
  );
}
