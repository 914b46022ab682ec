import type { Scenario } from "../bench.ts";
import { backEnd, importing } from "./back-end.ts";
import { growth } from "./growth.ts";
import { idle } from "./idle.ts";
import { jwks, management, me } from "./light.ts";
import { links } from "./links.ts";
import { mix } from "./mix.ts";
import { policy } from "./policy.ts";
import { kernels, login, refresh } from "./sign-in.ts";
import { footprint } from "./size.ts";
import { storm } from "./storm.ts";

/** In the order they run: what fills the database comes last. */
export const scenarios: readonly Scenario[] = [
  jwks,
  kernels,
  login,
  refresh,
  me,
  links,
  management,
  backEnd,
  storm,
  mix,
  policy,
  footprint,
  idle,
  importing,
  growth,
];
