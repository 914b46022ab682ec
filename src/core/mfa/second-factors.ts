import type { Audit } from "../audit/index.ts";
import type { Limits } from "../limits/index.ts";
import type { LoginCompletion } from "../login/types.ts";
import type { Messages } from "../messages/types.ts";
import type { Notices } from "../notices/index.ts";
import type { Passwords } from "../passwords/types.ts";
import type { Platform } from "../platform.ts";
import type { Sessions } from "../sessions/types.ts";
import type { TotpKeys } from "../signing-keys/index.ts";
import type { SensitiveGate } from "../step-up/sensitive.ts";
import type { Users } from "../users/types.ts";
import { createCodeDelivery } from "./delivery.ts";
import { createEnrolment, type Enrolment } from "./enrolment.ts";
import { createSecondFactorLogin, type SecondFactorLogin } from "./login.ts";
import { createSecondFactorProof } from "./proof.ts";
import { createFactorSetup, type FactorSetup } from "./setup.ts";
import { createStepUp, type StepUp } from "./step-up.ts";
import { createTotpCipher } from "./totp-cipher.ts";
import type { MfaStates } from "./types.ts";

export interface SecondFactorParts {
  readonly users: Users;
  readonly states: MfaStates;
  readonly sessions: Sessions;
  readonly passwords: Pick<Passwords, "verify">;
  readonly messages: Messages;
  readonly limits: Limits;
  readonly audit: Audit;
  readonly notices: Notices;
  /** AES keys of stored TOTP secrets. */
  readonly totpKeys: TotpKeys | undefined;
  readonly gate: () => SensitiveGate;
  readonly completion: () => LoginCompletion;
}

/** Second factors from enrolment to step-up, over one set of proofs. */
export interface SecondFactors {
  readonly login: SecondFactorLogin;
  readonly setup: FactorSetup;
  readonly enrolment: Enrolment;
  readonly stepUp: StepUp;
}

export function createSecondFactors(platform: Platform, parts: SecondFactorParts): SecondFactors {
  const { messages, totpKeys, gate } = parts;
  const cipher =
    totpKeys === undefined ? undefined : createTotpCipher(totpKeys.current, platform.random, totpKeys.former);
  const delivery = createCodeDelivery(messages);
  const proof = createSecondFactorProof(platform, { ...parts, cipher });
  const enrolment = createEnrolment(platform, parts);
  const shared = { ...parts, delivery, proof };
  return {
    enrolment,
    login: createSecondFactorLogin(platform, shared),
    stepUp: createStepUp(platform, {
      ...shared,
      gate: { assertRenews: (userId, method) => gate().assertRenews(userId, method) },
    }),
    setup: createFactorSetup(platform, {
      ...shared,
      enrolment,
      cipher,
      gate: {
        isFresh: (user) => gate().isFresh(user),
        refusal: (userId) => gate().refusal(userId),
      },
    }),
  };
}
