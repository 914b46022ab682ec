import type { Route } from "../route.ts";
import { accountRoutes } from "./account.ts";
import { adminActionRoutes } from "./admin-actions.ts";
import { adminUserRoutes } from "./admin-users.ts";
import { apiKeyRoutes } from "./api-keys.ts";
import { applicationRoutes } from "./applications.ts";
import { capabilityRoutes } from "./capabilities.ts";
import { delegationRoutes } from "./delegation.ts";
import { devRoutes } from "./dev.ts";
import { discoveryRoutes } from "./discovery.ts";
import { documentRoutes } from "./documents.ts";
import { federationRoutes } from "./federation.ts";
import { groupAdditionRoutes } from "./group-additions.ts";
import { groupMemberRoutes } from "./group-members.ts";
import { groupRoleRoutes } from "./group-roles.ts";
import { groupRoutes } from "./groups.ts";
import { hostedPageRoutes } from "./hosted-pages.ts";
import { inviteRoutes, ownInviteRoutes } from "./invites.ts";
import { loginRoutes } from "./login.ts";
import { meRoutes } from "./me.ts";
import { membershipInviteRoutes } from "./membership-invites.ts";
import { ownGroupRoutes } from "./own-groups.ts";
import { passkeyRoutes } from "./passkeys.ts";
import { passwordChangeRoutes } from "./password-change.ts";
import { passwordResetRoutes } from "./password-reset.ts";
import { passwordStrengthRoutes } from "./password-strength.ts";
import { passwordlessRoutes } from "./passwordless.ts";
import { profileRoutes } from "./profile.ts";
import { referenceRoutes } from "./reference.ts";
import { registrationRoutes } from "./registration.ts";
import { remoteApplicationRoutes } from "./remote-applications.ts";
import { secondFactorLoginRoutes } from "./second-factor-login.ts";
import { secondFactorRoutes } from "./second-factors.ts";
import { sessionRoutes } from "./sessions.ts";
import { solanaRoutes } from "./solana.ts";
import { stepUpRoutes } from "./step-up.ts";
import { verificationRoutes } from "./verification.ts";

/** The whole route table of the browser plane, in the order the reference shows it. */
export const routes: readonly Route[] = [
  ...capabilityRoutes,
  ...registrationRoutes,
  ...loginRoutes,
  ...passwordlessRoutes,
  ...passkeyRoutes,
  ...verificationRoutes,
  ...passwordResetRoutes,
  ...passwordChangeRoutes,
  ...passwordStrengthRoutes,
  ...sessionRoutes,
  ...secondFactorLoginRoutes,
  ...secondFactorRoutes,
  ...stepUpRoutes,
  ...federationRoutes,
  ...meRoutes,
  ...profileRoutes,
  ...accountRoutes,
  ...adminUserRoutes,
  ...adminActionRoutes,
  ...ownGroupRoutes,
  ...groupMemberRoutes,
  ...solanaRoutes,
  ...ownInviteRoutes,
  ...inviteRoutes,
  ...membershipInviteRoutes,
  ...groupAdditionRoutes,
  ...groupRoleRoutes,
  ...groupRoutes,
  ...apiKeyRoutes,
  ...remoteApplicationRoutes,
  ...applicationRoutes,
  ...delegationRoutes,
  ...discoveryRoutes,
  ...documentRoutes,
  ...devRoutes,
  ...referenceRoutes(() => routes),
  ...hostedPageRoutes,
];
