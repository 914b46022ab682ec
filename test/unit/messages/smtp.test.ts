import { afterEach, describe, expect, test } from "vitest";
import { DeliveryRefused } from "../../../src/platform/delivery.ts";
import type { MailMessage, MailSender } from "../../../src/platform/mail/port.ts";
import { createSmtpSender } from "../../../src/platform/mail/smtp.ts";
import { smtpServer } from "../../../src/platform/mail/smtp-server.ts";
import { type SmtpSink, type SmtpSinkOptions, startSmtpSink } from "../../support/smtp.ts";

const mail: MailMessage = {
  to: "ana@example.com",
  subject: "Código für dich",
  text: "Your code: 123456\n",
  html: "<p>Your code: 123456</p>\n",
  categories: ["auth", "2fa-login"],
  idempotencyKey: "0190-key",
};

const open: { sink?: SmtpSink; sender?: MailSender } = {};

async function sink(options?: SmtpSinkOptions): Promise<SmtpSink> {
  open.sink = await startSmtpSink(options);
  return open.sink;
}

function sender(url: string, options: { password?: string; timeoutMs?: number } = {}): MailSender {
  open.sender = createSmtpSender(
    { kind: "smtp", url, from: "Example <auth@example.org>", password: options.password },
    { timeoutMs: options.timeoutMs ?? 5_000, production: false },
  );
  return open.sender;
}

afterEach(async () => {
  await open.sender?.close();
  await open.sink?.stop();
});

describe("SMTP sender", () => {
  test("delivers text and HTML with the headers of automatic mail", async () => {
    const server = await sink();
    await sender(server.url).send(mail);
    const received = await server.waitFor("ana@example.com");
    expect(received).toMatchObject({
      from: "auth@example.org",
      to: ["ana@example.com"],
      subject: "Código für dich",
      text: "Your code: 123456\n",
      html: "<p>Your code: 123456</p>\n",
      encrypted: false,
    });
    expect(received.headers.get("from")).toBe("Example <auth@example.org>");
    expect(received.headers.get("message-id")).toBe("<0190-key@example.org>");
    expect(received.headers.get("auto-submitted")).toBe("auto-generated");
    expect(received.headers.get("x-category")).toBe("auth, 2fa-login");
  });

  test("reuses its connections", async () => {
    const server = await sink();
    const smtp = sender(server.url);
    await Promise.all(Array.from({ length: 20 }, (_, i) => smtp.send({ ...mail, to: `u${i}@example.com` })));
    expect(new Set(server.messages().flatMap(({ to }) => to)).size).toBe(20);
    expect(server.connections()).toBeLessThanOrEqual(5);
  });

  test("takes an address for one address, whatever it looks like", async () => {
    const server = await sink();
    await sender(server.url)
      .send({ ...mail, to: "ana@example.com, eve@example.com" })
      .catch(() => undefined);
    expect(server.messages().flatMap(({ to }) => to)).not.toContain("eve@example.com");
  });

  test("logs in with user and password", async () => {
    const server = await sink({ auth: { user: "mailer@example.org", pass: "p@ss word" } });
    const url = server.url.replace("smtp://", "smtp://mailer%40example.org@");
    await sender(url, { password: "p@ss word" }).send(mail);
    expect(server.messages()).toHaveLength(1);
  });

  test("keeps a mail for later when the credentials are refused", async () => {
    const server = await sink({ auth: { user: "mailer", pass: "right" } });
    const error = await sender(server.url.replace("smtp://", "smtp://mailer:wrong@"))
      .send(mail)
      .catch((e) => e);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(DeliveryRefused);
    expect(error.message).not.toContain("wrong");
  });

  test("a 4xx answer is temporary, a 5xx final; neither repeats the address", async () => {
    const server = await sink();
    const smtp = sender(server.url);
    server.fail(451, 1);
    const temporary = await smtp.send(mail).catch((e) => e);
    expect(temporary).not.toBeInstanceOf(DeliveryRefused);
    expect(temporary.message).toBe("the mail server answered 451 at DATA");
    server.fail(550, 1);
    const final = await smtp.send(mail).catch((e) => e);
    expect(final).toBeInstanceOf(DeliveryRefused);
    expect(final.message).toBe("the mail server answered 550 at DATA");
  });

  test("nobody listening is temporary", async () => {
    const server = await sink();
    await server.stop();
    const error = await sender(server.url)
      .send(mail)
      .catch((e) => e);
    expect(error).not.toBeInstanceOf(DeliveryRefused);
    expect(error.message).toContain("ECONNREFUSED");
  });

  test("gives up when asked to", async () => {
    const server = await sink();
    await expect(sender(server.url).send(mail, AbortSignal.abort())).rejects.toThrow("given up");
  });

  test("uses STARTTLS when offered, without proof where none is demanded", async () => {
    const server = await sink({ tls: true });
    await sender(server.url).send(mail);
    expect(server.messages()[0]?.encrypted).toBe(true);
  });

  test("sends nothing to a server it was told to distrust", async () => {
    const untrusted = await sink({ tls: true });
    await expect(sender(`${untrusted.url}?tls=required`).send(mail)).rejects.toThrow("could not be used");
    expect(untrusted.messages()).toEqual([]);
  });

  test("sends nothing in clear where encryption is demanded", async () => {
    const plain = await sink();
    await expect(sender(`${plain.url}?tls=required`).send(mail)).rejects.toThrow();
    expect(plain.messages()).toEqual([]);
  });
});

describe("address of the mail server", () => {
  const encryption = (url: string, production: boolean) => {
    const { secure, requireTLS, tls } = smtpServer(url, undefined, production);
    return { secure, requireTLS, checked: tls.rejectUnauthorized };
  };

  test.each([
    ["smtps://mail.example.com", false, { secure: true, requireTLS: false, checked: true }],
    ["smtp://mail.example.com", true, { secure: false, requireTLS: true, checked: true }],
    ["smtp://user:pw@mail.example.com", false, { secure: false, requireTLS: true, checked: true }],
    ["smtp://mail.example.com", false, { secure: false, requireTLS: false, checked: false }],
    ["smtp://127.0.0.1:25", true, { secure: false, requireTLS: false, checked: false }],
    ["smtp://mail.example.com?tls=opportunistic", true, { secure: false, requireTLS: false, checked: false }],
    ["smtp://localhost?tls=required", false, { secure: false, requireTLS: true, checked: true }],
  ])("%s, production %s", (url, production, expected) => {
    expect(encryption(url, production)).toEqual(expected);
  });

  test("ports, credentials and IPv6", () => {
    expect(smtpServer("smtp://a%40b:c%2Fd@mail.example.com", undefined, true)).toMatchObject({
      host: "mail.example.com",
      port: 587,
      auth: { user: "a@b", pass: "c/d" },
    });
    expect(smtpServer("smtps://u@mail.example.com", "other", true)).toMatchObject({
      port: 465,
      auth: { user: "u", pass: "other" },
    });
    expect(smtpServer("smtp://[::1]:2525", undefined, true)).toMatchObject({ host: "::1", port: 2525 });
    expect(smtpServer("smtp://mail.example.com", undefined, true)).not.toHaveProperty("auth");
  });
});
