import type { TwilioAnswer, TwilioApi } from "./twilio-api.ts";

/** North American toll-free numbers. */
const tollFree = /^\+1(?:800|833|844|855|866|877|888)\d{7}$/;

/**
 * Whether messages would be accepted: the account is active, the messaging service exists and has a sender, and where toll-free numbers
 * are among its senders at least one of them is verified. Resolves to the first reason against, else undefined.
 */
export async function twilioHealth(
  api: TwilioApi,
  serviceSid: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    return await check(api, serviceSid, signal);
  } catch (error) {
    return `Twilio could not be asked: ${error instanceof Error ? error.message : "unknown failure"}`;
  }
}

async function check(
  api: TwilioApi,
  serviceSid: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const account = await api.account(".json", undefined, { signal });
  if (account.status !== 200) return `the Twilio account cannot be read (status ${account.status})`;
  if (account.body["status"] !== "active") return "the Twilio account is not active";

  const service = `/Services/${encodeURIComponent(serviceSid)}`;
  const found = await api.messaging(service, { signal });
  if (found.status === 404) return "the Twilio messaging service does not exist";
  if (found.status !== 200) return `the Twilio messaging service cannot be read (status ${found.status})`;

  const numbers = rows(
    await api.messaging(`${service}/PhoneNumbers?PageSize=100`, { signal }),
    "phone_numbers",
  );
  if (numbers.length === 0 && !(await hasOtherSenders(api, service, signal)))
    return "the Twilio messaging service has no sender";
  return tollFreeProblem(api, numbers, signal);
}

async function hasOtherSenders(
  api: TwilioApi,
  service: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const [codes, names] = await Promise.all([
    api.messaging(`${service}/ShortCodes?PageSize=1`, { signal }),
    api.messaging(`${service}/AlphaSenders?PageSize=1`, { signal }),
  ]);
  return rows(codes, "short_codes").length + rows(names, "alpha_senders").length > 0;
}

async function tollFreeProblem(
  api: TwilioApi,
  numbers: readonly Readonly<Record<string, unknown>>[],
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const free = numbers.filter((row) => tollFree.test(String(row["phone_number"])));
  if (free.length === 0) return undefined;
  for (const row of free) {
    const sid = encodeURIComponent(String(row["sid"]));
    const answer = await api.messaging(`/Tollfree/Verifications?TollfreePhoneNumberSid=${sid}`, { signal });
    if (rows(answer, "verifications").some(({ status }) => status === "TWILIO_APPROVED")) return undefined;
  }
  return "none of the toll-free numbers is verified";
}

function rows(answer: TwilioAnswer, member: string): readonly Readonly<Record<string, unknown>>[] {
  const list = answer.body[member];
  if (answer.status !== 200 || !Array.isArray(list)) return [];
  return list.map((row: unknown) => (typeof row === "object" && row !== null ? { ...row } : {}));
}
