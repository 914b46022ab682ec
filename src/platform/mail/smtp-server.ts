import { isLoopback } from "../../config/network.ts";

/** How to reach a mail server, as nodemailer takes it. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. */
  readonly secure: boolean;
  /** Nothing is sent unless STARTTLS succeeded. */
  readonly requireTLS: boolean;
  readonly tls: {
    readonly minVersion: "TLSv1.2";
    /** Only false where an unencrypted connection would do as well. */
    readonly rejectUnauthorized: boolean;
  };
  readonly auth?: { readonly user: string; readonly pass: string };
}

/**
 * Reads `smtp://[user[:password]@]host[:port]` or `smtps://…`. Ports default to 587 and 465. STARTTLS is demanded in production and
 * wherever credentials are sent, except towards this machine; `?tls=opportunistic` accepts a server that offers none, `?tls=required`
 * demands it anywhere. Where encryption is demanded the certificate is checked; otherwise it is
 * encrypted when the server offers that, whoever it is (RFC 7435).
 *
 * @throws TypeError when it is no URL (the configuration has been checked before).
 */
export function smtpServer(address: string, password: string | undefined, production: boolean): SmtpServer {
  const url = new URL(address);
  const secure = url.protocol.toLowerCase() === "smtps:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const user = decodeURIComponent(url.username);
  const pass = password ?? decodeURIComponent(url.password);
  const wish = url.searchParams.get("tls");
  const demanded = (production || user !== "") && !isLoopback(url.hostname);
  const requireTLS = !secure && (wish === "required" || (demanded && wish !== "opportunistic"));
  return {
    host,
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTLS,
    tls: { minVersion: "TLSv1.2", rejectUnauthorized: secure || requireTLS },
    ...(user === "" ? {} : { auth: { user, pass } }),
  };
}
