import type { Route } from "../route.ts";
import { capabilityRoutes } from "./capabilities.ts";
import { devRoutes } from "./dev.ts";
import { loginRoutes } from "./login.ts";
import { passwordChangeRoutes } from "./password-change.ts";
import { passwordResetRoutes } from "./password-reset.ts";
import { registrationRoutes } from "./registration.ts";
import { sessionRoutes } from "./sessions.ts";
import { verificationRoutes } from "./verification.ts";

/** The whole route table of the browser plane, in the order the reference shows it. */
export const routes: readonly Route[] = [
  ...capabilityRoutes,
  ...registrationRoutes,
  ...loginRoutes,
  ...verificationRoutes,
  ...passwordResetRoutes,
  ...passwordChangeRoutes,
  ...sessionRoutes,
  ...devRoutes,
];
