import { Type } from "typebox";

/** Reply and body shapes that several routes share; they feed the OpenAPI document as well. */
export const tokenBody = Type.Object(
  {
    access_token: Type.String(),
    token_type: Type.Literal("Bearer"),
    expires_in: Type.Integer({ description: "Whole seconds the access token still lives." }),
    refresh_token: Type.String({
      description:
        "Opaque, 43 characters, good for one refresh. With `AUTHKIT_REFRESH_COOKIE` it is in the cookie `authkit_rt` instead.",
    }),
  },
  { $id: "TokenPair" },
);

const factor = Type.Object({
  id: Type.Optional(Type.String()),
  method: Type.String(),
  is_default: Type.Optional(Type.Boolean()),
  phone_number: Type.Optional(Type.String({ description: "Masked." })),
});

export const enrollmentBody = Type.Object(
  {
    error: Type.Literal("2fa_enrollment_required"),
    requires_2fa_enrollment: Type.Literal(true),
    allowed_methods: Type.Array(Type.String()),
    access_token: Type.String(),
    token_type: Type.Literal("Bearer"),
    expires_in: Type.Integer(),
    // Where a factor is enrolled that the session has not shown: what completes the sign-in at /2fa/verify.
    requires_2fa: Type.Optional(Type.Literal(true)),
    user_id: Type.Optional(Type.String()),
    challenge: Type.Optional(Type.String()),
    default_factor: Type.Optional(factor),
    available_factors: Type.Optional(Type.Array(factor)),
  },
  { $id: "EnrollmentHandOff" },
);

export const secondFactorBody = Type.Object(
  {
    requires_2fa: Type.Literal(true),
    user_id: Type.String(),
    method: Type.String(),
    verification_id: Type.String(),
    challenge: Type.String(),
    default_factor: factor,
    available_factors: Type.Array(factor),
  },
  { $id: "SecondFactorHandOff" },
);

export const verificationBody = Type.Object(
  {
    requires_verification: Type.Literal(true),
    identifier: Type.String(),
    channel: Type.String(),
  },
  { $id: "VerificationHandOff" },
);

/** Every way a login can end. */
export const loginBody = Type.Union([tokenBody, secondFactorBody, verificationBody, enrollmentBody]);

export const okBody = Type.Object({ ok: Type.Literal(true) }, { $id: "Ok" });

/** Members of a success body whose request itself proved a fresh authentication. */
export const freshAuthFields = {
  access_token: Type.Optional(Type.String()),
  token_type: Type.Optional(Type.Literal("Bearer")),
  expires_in: Type.Optional(Type.Integer()),
  fresh_auth: Type.Optional(
    Type.Object({
      auth_methods: Type.Array(Type.String()),
      last_authenticated_at: Type.String(),
      step_up_required_for_sensitive_actions: Type.Boolean(),
      time_until_step_up_required: Type.Integer(),
    }),
  ),
};
