import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Carried, carried } from "./smtp.ts";

export interface TwilioSms {
  readonly sid: string;
  readonly to: string;
  readonly body: string;
  readonly messagingServiceSid: string;
  readonly idempotencyToken: string;
}

/** What the account looks like to the health check. */
export interface TwilioState {
  accountStatus: string;
  serviceExists: boolean;
  numbers: { sid: string; phone_number: string }[];
  shortCodes: number;
  /** Number SID → status of its toll-free verification. */
  verifications: Record<string, string>;
  /** States a message goes through, one a look. */
  states: { status: string; error_code?: number }[];
  /** Answers to the next messages instead of taking them. */
  failures: { status: number; code?: number }[];
}

/** An HTTP server that behaves as Twilio's API does where the server uses it. */
export interface FakeTwilio {
  /** For `senders.sms.base_url`. */
  readonly url: string;
  readonly accountSid: string;
  readonly authToken: string;
  readonly messagingServiceSid: string;
  readonly state: TwilioState;
  messages(): readonly TwilioSms[];
  /** Requests seen, `METHOD path`. */
  requests(): readonly string[];
  /** Waits for the next SMS to a number and takes out code, link and token. */
  waitFor(to: string, timeoutMs?: number): Promise<Carried>;
  stop(): Promise<void>;
}

const accountSid = "AC00000000000000000000000000000001";
const messagingServiceSid = "MG00000000000000000000000000000001";
const authToken = "twilio-auth-token-for-tests";

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}

export async function startTwilio(): Promise<FakeTwilio> {
  const sent: TwilioSms[] = [];
  const looks = new Map<string, number>();
  const requests: string[] = [];
  const taken = new Set<TwilioSms>();
  const state: TwilioState = {
    accountStatus: "active",
    serviceExists: true,
    numbers: [{ sid: "PN1", phone_number: "+12025550100" }],
    shortCodes: 0,
    verifications: {},
    states: [{ status: "sent" }],
    failures: [],
  };
  const base = `/2010-04-01/Accounts/${accountSid}`;
  const service = `/v1/Services/${messagingServiceSid}`;
  const expected = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}`;

  const answer = (response: ServerResponse, status: number, body: object): void => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await readForm(request);
    const failure = state.failures.shift();
    if (failure !== undefined) return answer(response, failure.status, { code: failure.code });
    const sms: TwilioSms = {
      sid: `SM${sent.length + 1}`,
      to: form.get("To") ?? "",
      body: form.get("Body") ?? "",
      messagingServiceSid: form.get("MessagingServiceSid") ?? "",
      idempotencyToken: String(request.headers["i-twilio-idempotency-token"] ?? ""),
    };
    sent.push(sms);
    answer(response, 201, { sid: sms.sid, status: "accepted" });
  }

  function follow(sid: string, response: ServerResponse): void {
    const look = looks.get(sid) ?? 0;
    looks.set(sid, look + 1);
    answer(response, 200, { sid, ...(state.states[look] ?? state.states.at(-1)) });
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://twilio.test");
    requests.push(`${request.method} ${url.pathname}`);
    if (request.headers.authorization !== expected) return answer(response, 401, { code: 20_003 });
    const looked = new RegExp(`^${base}/Messages/(\\w+)\\.json$`).exec(url.pathname)?.[1];
    if (request.method === "POST" && url.pathname === `${base}/Messages.json`) void take(request, response);
    else if (looked !== undefined) follow(looked, response);
    else if (url.pathname === `${base}.json`) answer(response, 200, { status: state.accountStatus });
    else if (url.pathname === service && state.serviceExists)
      answer(response, 200, { sid: messagingServiceSid });
    else if (url.pathname === `${service}/PhoneNumbers`)
      answer(response, 200, { phone_numbers: state.numbers });
    else if (url.pathname === `${service}/ShortCodes`)
      answer(response, 200, { short_codes: Array.from({ length: state.shortCodes }, () => ({})) });
    else if (url.pathname === `${service}/AlphaSenders`) answer(response, 200, { alpha_senders: [] });
    else if (url.pathname === "/v1/Tollfree/Verifications") {
      const status = state.verifications[url.searchParams.get("TollfreePhoneNumberSid") ?? ""];
      answer(response, 200, { verifications: status === undefined ? [] : [{ status }] });
    } else answer(response, 404, { code: 20_404 });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    accountSid,
    authToken,
    messagingServiceSid,
    state,
    messages: () => sent,
    requests: () => requests,
    async waitFor(to, timeoutMs = 15_000) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const sms = sent.find((one) => one.to === to && !taken.has(one));
        if (sms !== undefined) {
          taken.add(sms);
          return carried(sms.body);
        }
        if (Date.now() > deadline) throw new Error("no SMS to that number in time");
        await sleep(25);
      }
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
