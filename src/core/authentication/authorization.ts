import type { Principal } from "./principal.ts";

/** Whether a principal holds a permission in a group instance (`""` for the root group). */
export interface Authorization {
  allows(principal: Principal, permission: string, persona: string, instanceSlug: string): Promise<boolean>;
}
