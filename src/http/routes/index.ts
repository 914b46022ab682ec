import type { Route } from "../route.ts";
import { capabilityRoutes } from "./capabilities.ts";
import { loginRoutes } from "./login.ts";
import { registrationRoutes } from "./registration.ts";
import { sessionRoutes } from "./sessions.ts";

/** The whole route table of the browser plane, in the order the reference shows it. */
export const routes: readonly Route[] = [
  ...capabilityRoutes,
  ...registrationRoutes,
  ...loginRoutes,
  ...sessionRoutes,
];
