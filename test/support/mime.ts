/** A mail as tests look at it. */
export interface ParsedMail {
  /** By lower-case name; the last of several. */
  readonly headers: ReadonlyMap<string, string>;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

interface Entity {
  readonly headers: Map<string, string>;
  readonly body: string;
}

function split(source: string): Entity {
  const end = source.indexOf("\r\n\r\n");
  const head = end < 0 ? source : source.slice(0, end);
  const headers = new Map<string, string>();
  for (const line of head.replace(/\r\n[ \t]+/g, " ").split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { headers, body: end < 0 ? "" : source.slice(end + 4) };
}

function quotedPrintable(text: string): Buffer {
  const joined = text
    .replace(/=\r\n/g, "")
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(joined, "latin1");
}

function decoded({ headers, body }: Entity): string {
  const encoding = (headers.get("content-transfer-encoding") ?? "7bit").toLowerCase();
  const bytes =
    encoding === "base64"
      ? Buffer.from(body, "base64")
      : encoding === "quoted-printable"
        ? quotedPrintable(body)
        : Buffer.from(body, "latin1");
  return bytes.toString("utf8").replaceAll("\r\n", "\n");
}

/** Encoded words of RFC 2047. */
function header(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, "?==?")
    .replace(/=\?utf-8\?([QB])\?([^?]*)\?=/gi, (_, kind: string, text: string) =>
      (kind.toUpperCase() === "B"
        ? Buffer.from(text, "base64")
        : quotedPrintable(text.replaceAll("_", " "))
      ).toString("utf8"),
    );
}

/** Reads a mail with one text and one HTML part, which is what the server sends. */
export function parseMail(source: string): ParsedMail {
  const mail = split(source);
  const boundary = /boundary="?([^";]+)"?/i.exec(mail.headers.get("content-type") ?? "")?.[1];
  const parts =
    boundary === undefined
      ? [mail]
      : mail.body
          .split(`--${boundary}`)
          .slice(1, -1)
          .map((part) => split(part.replace(/^\r\n/, "").replace(/\r\n$/, "")));
  const of = (type: string): string => {
    const part = parts.find(({ headers }) => (headers.get("content-type") ?? "").startsWith(type));
    return part === undefined ? "" : decoded(part);
  };
  return {
    headers: mail.headers,
    subject: header(mail.headers.get("subject") ?? ""),
    text: of("text/plain"),
    html: of("text/html"),
  };
}
