import { Type } from "typebox";
import { json, type Route, route } from "../route.ts";

/** What a verifier has to know of this server besides its audience, at one address (spec 30 §4). */
export const discoveryRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/.well-known/authkit-configuration",
    mount: "root",
    group: "reference",
    since: "0.97",
    auth: "none",
    limit: null,
    enabled: ({ discovery }) => discovery,
    summary: "Issuer, key set and signing algorithms, for verifiers that configure themselves.",
    replies: {
      200: Type.Object({
        issuer: Type.String(),
        jwks_uri: Type.String(),
        signing_alg_values_supported: Type.Array(Type.String()),
      }),
    },
    errors: [],
    handle({ config, core }) {
      const keys = [...core.keyRing.current().byKid.values()];
      return json(
        200,
        {
          issuer: config.issuer,
          jwks_uri: `${config.issuer}/.well-known/jwks.json`,
          signing_alg_values_supported: [...new Set(keys.map(({ algorithm }) => algorithm))].sort(),
        },
        [
          ["Cache-Control", "public, max-age=300, must-revalidate"],
          // As public as the keys it leads to.
          ["Access-Control-Allow-Origin", "*"],
        ],
      );
    },
  }),
];
