import { type Queryable, sql } from "../../platform/postgres/port.ts";

const markEmail = sql(
  "verification.markEmail",
  (s) => `
  UPDATE ${s}.users SET email_verified = true, email_proven = true, updated_at = $3
  WHERE id = $1 AND email = $2::text::public.citext`,
);

const markPhone = sql(
  "verification.markPhone",
  (s) => `UPDATE ${s}.users SET phone_verified = true, updated_at = $3 WHERE id = $1 AND phone_number = $2`,
);

/** Marks contacts as verified because their owner proved them. False when the account's contact is another one by now. */
export const verificationStore = {
  async markEmail(on: Queryable, userId: string, email: string, at: Date): Promise<boolean> {
    return (await on.run(markEmail, [userId, email, at])) === 1;
  },
  async markPhone(on: Queryable, userId: string, phone: string, at: Date): Promise<boolean> {
    return (await on.run(markPhone, [userId, phone, at])) === 1;
  },
};
