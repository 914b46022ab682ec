import type { OutboxEntry } from "../core/messages/index.ts";
import { escapeHtml } from "../core/messages/templates/fill.ts";
import { json, type Reply } from "./route.ts";

/** Text with its http(s) addresses as links. */
function linked(text: string): string {
  return escapeHtml(text).replace(/https?:\/\/[^\s<]+/g, (url) => `<a href="${url}">${url}</a>`);
}

const style = `body{margin:2rem auto;max-width:48rem;padding:0 1rem;font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff}
article{border:1px solid #ddd;border-radius:.5rem;padding:1rem;margin:1rem 0}
h2{font-size:1rem;margin:0}
p{margin:.25rem 0;color:#555}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:1rem 0 0;font:.9375rem/1.5 ui-monospace,monospace}
@media (prefers-color-scheme:dark){body{color:#eee;background:#111}article{border-color:#444}p{color:#aaa}a{color:#8ab4f8}}`;

function article({ channel, to, subject, text, sentAt }: OutboxEntry): string {
  const title = subject ?? (channel === "sms" ? "SMS" : "Mail");
  return (
    `<article>\n<h2>${escapeHtml(title)}</h2>\n<p>to ${escapeHtml(to)} · ` +
    `<time datetime="${escapeHtml(sentAt)}">${escapeHtml(sentAt)}</time></p>\n<pre>${linked(text.trim())}</pre>\n</article>\n`
  );
}

function page(messages: readonly OutboxEntry[]): string {
  const list = messages.length === 0 ? "<p>Nothing has been sent yet.</p>\n" : messages.map(article).join("");
  return (
    `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n` +
    `<meta http-equiv="refresh" content="5">\n<title>Messages</title>\n<style>${style}</style>\n</head>\n` +
    `<body>\n<h1>Messages</h1>\n<p>Shown here instead of sent, because no sender is configured.</p>\n${list}</body>\n</html>\n`
  );
}

/** A page for browsers, which ask for HTML by name; JSON for everything else. */
export function outboxReply(messages: readonly OutboxEntry[], accept: string | undefined): Reply {
  if (accept?.toLowerCase().includes("text/html") === true) {
    return {
      status: 200,
      headers: [
        ["Content-Type", "text/html; charset=utf-8"],
        ["Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"],
        ["Vary", "Accept"],
      ],
      body: { text: page(messages) },
    };
  }
  const rows = messages.map(({ sentAt, ...message }) => ({ ...message, sent_at: sentAt }));
  return json(200, { messages: rows }, [["Vary", "Accept"]]);
}
