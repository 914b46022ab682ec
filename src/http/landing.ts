import { Type } from "typebox";
import { safeReturnTo } from "../core/identifiers/index.ts";
import { type Route, route } from "./route.ts";

/**
 * The address of a link that a host mails instead of the front end's: sends the browser on to the front end. Nothing is looked up or
 * used up, because mail scanners follow links too.
 */
export function landingRoute(channel: "email" | "phone", page: "verify" | "reset"): Route {
  return route({
    method: "GET",
    path: page === "verify" ? `/${channel}/verify/confirm` : `/${channel}/password/reset/confirm`,
    group: page === "verify" ? "verification" : "password",
    since: "0.73",
    auth: "none",
    limit: null,
    summary: "Redirect from a mailed link to the front end; the token is not used up.",
    query: Type.Object({ token: Type.Optional(Type.String()), return_to: Type.Optional(Type.String()) }),
    replies: { 302: null },
    errors: [],
    handle(context, { query }) {
      const token = (query.token ?? "").trim();
      const returnTo = safeReturnTo(query.return_to?.trim());
      const location = context.core.messages.link(page, {
        channel,
        ...(returnTo === undefined || returnTo === "/" ? {} : { return_to: returnTo }),
        status: token === "" ? "invalid_request" : "ready",
        ...(token === "" ? {} : { token }),
      });
      return { status: 302, headers: [["Location", location]] };
    },
  });
}
