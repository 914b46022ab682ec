import { createOutbound } from "../outbound/undici.ts";

const publicApi = "https://api.twilio.com";
const publicMessagingApi = "https://messaging.twilio.com";

export interface TwilioAnswer {
  readonly status: number;
  /** Parsed JSON object; empty when the body was none. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface TwilioAccount {
  readonly accountSid: string;
  readonly authToken: string;
  /** Origin of the API; services and verifications are asked there too unless it is Twilio's own. */
  readonly baseUrl: string;
}

/** The two Twilio APIs in use, with basic authentication. Rejects only when there was no answer. */
export interface TwilioApi {
  /** `path` below `/2010-04-01/Accounts/{sid}`. */
  account(path: string, form?: URLSearchParams, more?: CallOptions): Promise<TwilioAnswer>;
  /** `path` below `/v1` of the messaging API. */
  messaging(path: string, more?: CallOptions): Promise<TwilioAnswer>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export function createTwilioApi(account: TwilioAccount, timeoutMs: number): TwilioApi {
  const outbound = createOutbound({ allowPrivate: true });
  const authorization = `Basic ${Buffer.from(`${account.accountSid}:${account.authToken}`).toString("base64")}`;
  const messagingBase = account.baseUrl === publicApi ? publicMessagingApi : account.baseUrl;

  async function call(
    url: string,
    form: URLSearchParams | undefined,
    more: CallOptions,
  ): Promise<TwilioAnswer> {
    const { status, body } = await outbound.request({
      url,
      method: form === undefined ? "GET" : "POST",
      headers: {
        authorization,
        accept: "application/json",
        ...(form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
        ...more.headers,
      },
      ...(form === undefined ? {} : { body: form.toString() }),
      timeout: timeoutMs,
      ...(more.signal === undefined ? {} : { signal: more.signal }),
    });
    return { status, body: parseObject(body) };
  }

  return {
    account: (path, form, more = {}) =>
      call(`${account.baseUrl}/2010-04-01/Accounts/${account.accountSid}${path}`, form, more),
    messaging: (path, more = {}) => call(`${messagingBase}/v1${path}`, undefined, more),
    close: () => outbound.close(),
  };
}

function parseObject(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch (error) {
    // A proxy's HTML page; the status says enough.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
