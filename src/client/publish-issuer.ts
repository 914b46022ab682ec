/** What another server is told of an issuer: its name there, and where its keys are (or the keys themselves). */
export interface IssuerStatement {
  readonly slug: string;
  readonly issuer: string;
  readonly jwksUri?: string;
  readonly publicKeys?: readonly { readonly kid?: string; readonly publicKeyPem: string }[];
}

export interface PublishIssuerOptions {
  /** Bearer token for the accepting server; none when absent. */
  readonly bearer?: string;
  /** Milliseconds. Default 30 000. */
  readonly timeoutMs?: number;
  /** Replaces the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/** The accepting server's answer was no success. */
export class IssuerNotAccepted extends Error {
  override readonly name = "IssuerNotAccepted";
  readonly status: number;
  /** The first 4 KiB of the answer. */
  readonly body: string;

  constructor(status: number, body: string) {
    super(`the issuer was not accepted: ${status} ${body}`);
    this.status = status;
    this.body = body;
  }
}

const maxBody = 4096;

async function beginning(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size >= maxBody) break;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return new TextDecoder().decode(bytes.subarray(0, maxBody));
}

/**
 * Makes an issuer known to a server that will accept its tokens: POSTs the statement to that server's address for it, for this server
 * `POST {prefix}/{persona}/{slug}/remote-applications`. Throws {@link IssuerNotAccepted} for anything but a 2xx answer (redirects are not
 * followed), and what `fetch` throws when there is none.
 */
export async function publishIssuer(
  acceptUrl: string,
  { slug, issuer, jwksUri, publicKeys }: IssuerStatement,
  { bearer, timeoutMs = 30_000, fetch: send = fetch }: PublishIssuerOptions = {},
): Promise<void> {
  const keys = publicKeys?.map(({ kid, publicKeyPem }) => ({ kid, public_key_pem: publicKeyPem }));
  const response = await send(acceptUrl, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
    },
    body: JSON.stringify({ slug, issuer, jwks_uri: jwksUri, public_keys: keys }),
    signal: AbortSignal.timeout(timeoutMs),
    redirect: "manual",
  });
  if (!response.ok) throw new IssuerNotAccepted(response.status, await beginning(response));
  await response.body?.cancel();
}
