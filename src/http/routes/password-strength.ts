import { Type } from "typebox";
import { json, type Route, route } from "../route.ts";

const hints = ["longer", "common", "breached", "repetition", "sequence", "context"] as const;

export const passwordStrengthRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/password/strength",
    group: "password",
    since: "0.97",
    auth: "none",
    limit: "auth_password_strength",
    summary:
      "Tell whoever is choosing a password how long it would withstand guessing, what would make it stronger, and whether it would be taken.",
    body: Type.Object({
      password: Type.String(),
      email: Type.Optional(Type.String()),
      username: Type.Optional(Type.String()),
    }),
    replies: {
      200: Type.Object({
        score: Type.Integer({ minimum: 0, maximum: 4 }),
        bits: Type.Number({ minimum: 0 }),
        hints: Type.Array(Type.Enum(hints)),
        accepted: Type.Boolean(),
        refusal: Type.Union([Type.String(), Type.Null()]),
      }),
    },
    errors: ["invalid_request", "rate_limited"],
    handle({ core }, { body }) {
      const { email, username } = body;
      const { strength, refusal } = core.passwords.judge(body.password, {
        ...(email === undefined ? {} : { email }),
        ...(username === undefined ? {} : { username }),
      });
      return json(200, { ...strength, accepted: refusal === undefined, refusal: refusal ?? null });
    },
  }),
];
