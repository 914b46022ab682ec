import { connect } from "node:net";
import type { Config } from "../../config/config.ts";
import type { Platform } from "../../core/platform.ts";
import { createKeyRing } from "../../core/signing-keys/index.ts";
import { smtpServer } from "../../platform/mail/smtp-server.ts";
import { type Finding, messageOf, ok, problem, warning } from "./finding.ts";

const connectTimeoutMs = 5_000;

/** Whether tokens can be signed. */
export async function checkKeys(
  platform: Pick<Platform, "config" | "database" | "bus" | "clock" | "random" | "log">,
): Promise<Finding[]> {
  try {
    const ring = await createKeyRing(platform);
    try {
      const { active } = ring.current();
      const verifyOnly = platform.config.keys.verifyOnly;
      if (active === undefined)
        return [
          verifyOnly
            ? ok("signing keys: none, as AUTHKIT_VERIFY_ONLY asks")
            : problem(
                "signing keys: none can sign",
                "run `authkit-server keys generate` and configure the key",
              ),
        ];
      return [ok(`signing keys: ${active.algorithm}, key id ${active.kid}`)];
    } finally {
      await ring.close();
    }
  } catch (error) {
    return [problem(`signing keys: ${messageOf(error)}`, "see the keys section of docs/configuration.md")];
  }
}

function reachable(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: connectTimeoutMs });
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("timeout", () => {
      socket.destroy();
      reject(new Error("no answer"));
    });
    socket.once("error", reject);
  });
}

async function checkAddress(what: string, url: string, setting: string): Promise<Finding> {
  const { protocol, hostname, port } = new URL(url);
  const number = port === "" ? (protocol === "http:" ? 80 : 443) : Number(port);
  return checkEndpoint(what, hostname, number, setting);
}

async function checkEndpoint(what: string, host: string, port: number, setting: string): Promise<Finding> {
  try {
    await reachable(host.replace(/^\[(.*)\]$/, "$1"), port);
    return ok(`${what}: ${host}:${port} answers`);
  } catch (error) {
    return problem(
      `${what}: ${host}:${port}: ${messageOf(error)}`,
      `check ${setting} and the network's rules for outgoing connections`,
    );
  }
}

/** Whether mail and SMS have somewhere to go. Sends nothing. */
export async function checkSenders({ senders, environment, registration }: Config): Promise<Finding[]> {
  const { mail, sms } = senders;
  const findings: Finding[] = [];
  if (mail === undefined)
    findings.push(
      registration.verification === "required" && sms === undefined
        ? problem("mail: no sender, but contacts must be verified", "set AUTHKIT_SMTP_URL")
        : warning("mail: no sender; reset and verification messages go nowhere", "set AUTHKIT_SMTP_URL"),
    );
  else if (mail.kind === "smtp") {
    const { host, port } = smtpServer(mail.url, mail.password, environment.class === "production");
    findings.push(await checkEndpoint("mail", host, port, "AUTHKIT_SMTP_URL"));
  } else if (mail.kind === "webhook") findings.push(await checkAddress("mail webhook", mail.url, "its URL"));
  else findings.push(ok("mail: written to the log"));

  if (sms === undefined) findings.push(ok("SMS: no sender; phone numbers cannot be used"));
  else if (sms.kind === "twilio")
    findings.push(await checkAddress("SMS", sms.baseUrl, "the Twilio settings"));
  else if (sms.kind === "webhook") findings.push(await checkAddress("SMS webhook", sms.url, "its URL"));
  else findings.push(ok("SMS: written to the log"));
  return findings;
}
