import type { HandlerFactory } from "./index.ts";

/** Manifests of accounts, applications and roles. */
export const bootstrapHandlers: HandlerFactory = ({ bootstrap }) => ({
  applyBootstrapManifest: ({ manifest, opts }, { callContext }) =>
    bootstrap.apply(manifest, opts, callContext),
});
