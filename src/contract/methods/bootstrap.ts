import { BootstrapManifest, BootstrapManifestResult, BootstrapReconcileOptions } from "../dtos/bootstrap.ts";
import { everyGeneration, field } from "../types.ts";
import { method } from "./method.ts";

/** Methods of the topic Bootstrap. */
export const bootstrapMethods = {
  applyBootstrapManifest: method({
    name: "ApplyBootstrapManifest",
    topic: "Bootstrap",
    generations: everyGeneration,
    args: { manifest: field("manifest", BootstrapManifest), opts: field("opts", BootstrapReconcileOptions) },
    result: BootstrapManifestResult,
    errors: [
      "2fa_enrollment_required",
      "bootstrap_database_not_empty",
      "email_in_use",
      "invalid_banned_by",
      "invalid_bootstrap_manifest",
      "invalid_email",
      "invalid_hash_params",
      "invalid_phone_number",
      "invalid_remote_application",
      "owner_slug_taken",
      "password_too_short",
      "permission_group_not_found",
      "phone_in_use",
      "reserved_issuer",
      "role_not_assignable",
      "unsupported_hash_algo",
      "username_cannot_contain_at",
      "username_cannot_start_with_plus",
      "username_invalid_characters",
      "username_must_start_with_letter",
      "username_too_long",
      "username_too_short",
    ],
    mutates: { kind: "bootstrap", args: ["opts.name"] },
    bodyLimit: 16 * 1024 * 1024,
    note: "v0.97 drops group_roles / group_role_assignments and adds dev.",
  }),
};
