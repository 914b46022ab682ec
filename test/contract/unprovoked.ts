/**
 * Codes the contract lists that nobody outside can bring about, and why: by code where it holds for every row, else by `METHOD path code`.
 * Everything else of the route table has been seen on the wire (test/coverage-wire.ts).
 */
const knowsCaller = "a server that has verified the caller's token has the key to sign with";

export const unprovoked: Readonly<Record<string, string>> = {
  hash_failed:
    "a hashing process answers, has no room (`server_busy`) or is away (`service_unavailable`); nothing else can come of it",
  delegated_mint_failed: knowsCaller,
  "POST /user/password token_issue_failed": knowsCaller,
  "POST /step-up/password token_issue_failed": knowsCaller,
  "POST /step-up/2fa token_issue_failed": knowsCaller,
  "DELETE /user token_issue_failed": knowsCaller,
  "DELETE /user/providers/{provider} token_issue_failed": knowsCaller,
  "DELETE /{persona}/{instance_slug} token_issue_failed": knowsCaller,
  "POST /user/2fa phone_2fa_unavailable":
    "what cannot be sent is no method (`invalid_method`); only a sender that fails between two looks is left",
  "PATCH /user/username username_cannot_start_with_plus":
    "such a name does not start with a letter, which is looked at before",
};
