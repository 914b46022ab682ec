import { Type } from "typebox";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/index.ts";
import { isStorable, parseLanguage, passwordlessIdentifier, safeReturnTo } from "../identifiers/index.ts";
import type { LoginCompletion } from "../login/types.ts";
import type { Messages } from "../messages/types.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { Accounts } from "../registration/accounts.ts";
import { hidesExisting } from "../registration/hiding.ts";
import type { UserAvailability } from "../users/operations.ts";
import type { UserRow, Users } from "../users/types.ts";
import { createChallenges } from "../verification/challenges.ts";
import { deliveryFailure } from "../verification/messages.ts";
import { hashToken } from "../verification/secrets.ts";
import { createPasswordlessAttempts } from "./attempts.ts";
import { createRedemption } from "./redemption.ts";
import type {
  IssuedPasswordless,
  Passwordless,
  PasswordlessInput,
  PasswordlessMode,
  PasswordlessRequest,
} from "./types.ts";

export type {
  Passwordless,
  PasswordlessInput,
  PasswordlessRequest,
  ProvenPasswordless,
} from "./types.ts";

/** Seconds a code and a link live. */
const ttl = 600;
/** Length of every link token: anything shorter is a code in the wrong place. */
const tokenLength = 43;

/** What a trusted caller is told when nothing can be sent over a channel. */
const noSender = { email: "email_sender_unavailable", phone: "sms_unavailable" } as const;

export const passwordlessSchema = Type.Object({
  userId: Type.Optional(Type.String()),
  username: Type.Optional(Type.String()),
  language: Type.String(),
  returnTo: Type.String(),
  inviteHash: Type.String(),
});

export interface PasswordlessParts {
  readonly users: Pick<Users, "byId" | "byEmail" | "byPhone" | "admitRow"> & UserAvailability;
  readonly accounts: Accounts;
  readonly audit: Pick<Audit, "session">;
  readonly messages: Pick<Messages, "available" | "send" | "link">;
  readonly completion: () => LoginCompletion;
  /** Puts a request where the jobs worker finds it. */
  readonly background: (request: PasswordlessRequest, context: CallContext) => Promise<void>;
}

/** See {@link Passwordless}. */
export function createPasswordless(
  platform: Pick<Platform, "config" | "database" | "clock" | "random" | "ephemeral" | "log">,
  parts: PasswordlessParts,
): Passwordless {
  const { config, log } = platform;
  const { users, accounts, audit, messages, completion, background } = parts;
  const { autoRegister } = config.passwordless;
  const books = {
    email: createChallenges(platform, "passwordless_email", ttl, passwordlessSchema),
    phone: createChallenges(platform, "passwordless_sms", ttl, passwordlessSchema),
  } as const;
  const attempts = createPasswordlessAttempts(platform.ephemeral);
  const redeem = createRedemption(platform, { users, accounts });
  const transport = (channel: "email" | "phone") => (channel === "email" ? "email" : "sms");

  const holder = ({
    channel,
    address,
  }: Pick<PasswordlessRequest, "channel" | "address">): Promise<UserRow | undefined> =>
    channel === "email" ? users.byEmail(address) : users.byPhone(address);

  function assertSender(request: PasswordlessRequest): void {
    if (messages.available(transport(request.channel))) return;
    throw new AuthError(
      request.channel === "email" ? "email_verification_unavailable" : "phone_verification_unavailable",
    );
  }

  /** Whether this stranger may become an account. An invite is asked for whatever the channel. */
  const assertAdmitted = (request: PasswordlessRequest): Promise<void> =>
    accounts.assertOpen("email", request.inviteHash === "" ? undefined : request.inviteHash);

  /** Code and link for whoever may have them; undefined when the address belongs to nobody who may sign in or register. */
  async function challenge(request: PasswordlessRequest) {
    const user = await holder(request);
    if (user === undefined) {
      if (!autoRegister || config.registration.mode === "closed") return undefined;
      await assertAdmitted(request);
    }
    const username =
      user === undefined
        ? await users.freeUsername(
            // A name made of the number would tell it to everybody.
            request.channel === "email" ? { email: request.address } : { preferred: "user" },
          )
        : undefined;
    const { language, returnTo, inviteHash } = request;
    const payload = {
      ...(user === undefined ? {} : { userId: user.id }),
      ...(username === undefined ? {} : { username }),
      ...{ language, returnTo, inviteHash },
    };
    const secrets = await books[request.channel].issue(request.address, payload);
    const parameters = {
      channel: transport(request.channel),
      ...(returnTo === "" ? {} : { return_to: returnTo }),
      token: secrets.token,
    };
    const issued: IssuedPasswordless = {
      code: request.mode === "link" ? undefined : secrets.code,
      link: request.mode === "code" ? undefined : messages.link("passwordless", parameters),
    };
    return { issued, username, user };
  }

  /** Sends what was made; a challenge whose message cannot be handed over is taken back. */
  async function deliver(
    request: PasswordlessRequest,
    { issued, user, username }: NonNullable<Awaited<ReturnType<typeof challenge>>>,
    context: CallContext,
  ): Promise<void> {
    const { channel, address, language } = request;
    try {
      if (!messages.available(transport(channel))) throw new AuthError(noSender[channel]);
      await messages.send({
        kind: "passwordless_login",
        channel: transport(channel),
        to: address,
        language: language || user?.preferredLanguage || context.language,
        username: user === undefined ? username : undefined,
        code: issued.code,
        url: issued.link,
        ttlSeconds: ttl,
        key: context.messageKey,
      });
    } catch (cause) {
      // After an outage nobody knows whether the message is queued: it may still go out, and then its code has to hold.
      if (!isAuthError(cause, "service_unavailable")) await books[channel].drop(address);
      throw isAuthError(cause, noSender[channel]) ? cause : deliveryFailure(channel, cause);
    }
  }

  /** Makes and sends; undefined, and nothing sent, when there is nobody to sign in. */
  async function serve(
    request: PasswordlessRequest,
    context: CallContext,
  ): Promise<IssuedPasswordless | undefined> {
    const made = await challenge(request).catch((error: unknown) => {
      if (isAuthError(error, "registration_disabled")) return undefined;
      throw error;
    });
    if (made !== undefined) await deliver(request, made, context);
    return made?.issued;
  }

  function parsed(identifier: string) {
    const text = identifier.trim();
    if (text === "") throw new AuthError("invalid_token");
    const { kind, value } = passwordlessIdentifier(text);
    return { channel: kind, address: value } as const;
  }

  function parse(input: PasswordlessInput): PasswordlessRequest {
    const contact = parsed(input.identifier);
    const asked = input.preferredLanguage.trim().toLowerCase();
    const language = asked === "" ? "" : parseLanguage(asked);
    const mode = input.mode.trim().toLowerCase();
    const invite = input.inviteToken.trim();
    return {
      ...contact,
      mode: isMode(mode) ? mode : "both",
      returnTo: safeReturnTo(input.returnTo.trim()) ?? "",
      language,
      inviteHash: invite === "" || !isStorable(invite) ? "" : hashToken(invite),
    };
  }

  const proveCode: Passwordless["proveCode"] = async (
    identifier,
    code,
    context,
    { uncounted = false } = {},
  ) => {
    const { channel, address } = parsed(identifier);
    const guess = uncounted ? { allowed: true, last: false } : await attempts.begin(channel, address);
    const taken = guess.allowed ? await books[channel].takeByCode(address, code.trim()) : undefined;
    if (taken === undefined) {
      if (guess.last) {
        // The link in the same message cannot be guessed, and is not the guesser's to destroy.
        await books[channel].dropCode(address);
        await attempts.clear(channel, address);
        log.info({ channel }, "five wrong passwordless codes: the code is void");
      }
      throw new AuthError("invalid_or_expired_code");
    }
    const proven = await redeem(channel, taken, context);
    await attempts.clear(channel, address);
    return proven;
  };

  const proveToken: Passwordless["proveToken"] = async (token, context) => {
    if (token.length < tokenLength) throw new AuthError("invalid_or_expired_code");
    for (const channel of ["email", "phone"] as const) {
      const taken = await books[channel].takeByToken(token);
      if (taken !== undefined) return redeem(channel, taken, context);
    }
    throw new AuthError("invalid_or_expired_code");
  };

  /** A refused confirmation is part of the history of whoever has the contact. */
  async function failed(identifier: string, error: unknown, context: CallContext): Promise<void> {
    const reason = isAuthError(error, "invalid_or_expired_code")
      ? "invalid_or_expired_passwordless_code"
      : "passwordless_failed";
    const userId = identifier === "" ? "" : await ownerId(identifier);
    await audit.session({ event: "session_failed", userId, sessionId: "", reason }, context);
  }

  async function ownerId(identifier: string): Promise<string> {
    try {
      return (await holder(parsed(identifier)))?.id ?? "";
    } catch (error) {
      if (isAuthError(error, "invalid_email") || isAuthError(error, "invalid_phone_number")) return "";
      throw error;
    }
  }

  return {
    parse,

    async request(request, context) {
      assertSender(request);
      // Servers that register by invite only tell strangers so, known as it makes their accounts: clients rely on it.
      if (
        config.registration.mode === "invite_only" &&
        autoRegister &&
        !hidesExisting(config) &&
        (await holder(request)) === undefined
      )
        await assertAdmitted(request);
      await background(request, context);
    },

    async serve(request, context) {
      await serve(request, context);
    },

    async issue(input, context) {
      if (!config.passwordless.enabled) throw new AuthError("passwordless_disabled");
      const request = parse(input);
      return { channel: request.channel, issued: await serve(request, context) };
    },

    proveCode,
    proveToken,

    async confirm({ identifier, code, token }, context) {
      try {
        return token === "" ? await proveCode(identifier, code, context) : await proveToken(token, context);
      } catch (error) {
        if (!isAuthError(error, "service_unavailable"))
          await failed(token === "" ? identifier : "", error, context);
        throw error;
      }
    },

    signIn({ user, channel }, context) {
      const byEmail = channel === "email";
      return completion().complete(
        user,
        {
          methods: [byEmail ? "email" : "sms"],
          origin: byEmail ? "passwordless_email" : "passwordless_sms",
          skipVerification: true,
        },
        context,
      );
    },

    async recordFailure(identifier) {
      const { channel, address } = parsed(identifier);
      if (!(await attempts.begin(channel, address)).last) return;
      await books[channel].dropCode(address);
      await attempts.clear(channel, address);
    },

    async clearFailures(identifier) {
      const { channel, address } = parsed(identifier);
      await attempts.clear(channel, address);
    },
  };
}

function isMode(text: string): text is PasswordlessMode {
  return text === "code" || text === "link";
}
