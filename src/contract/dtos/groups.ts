import {
  dto,
  durationNs,
  everyGeneration,
  field,
  type Infer,
  type InferArgs,
  int64,
  nullable,
  only,
  string,
  time,
} from "../types.ts";

/** A group to create, optionally with its owner. */
export const CreatePermissionGroupRequest = dto("CreatePermissionGroupRequest", everyGeneration, {
  persona: field("Persona", string),
  instanceSlug: field("InstanceSlug", string),
  parentPersona: field("ParentPersona", string),
  parentInstanceSlug: field("ParentInstanceSlug", string),
  ownerSubjectId: field("OwnerSubjectID", string),
  ownerSubjectKind: only("0.97", field("OwnerSubjectKind", string)),
  displayName: only("0.97", field("DisplayName", string)),
});
export type CreatePermissionGroupRequest = Infer<typeof CreatePermissionGroupRequest>;
export type CreatePermissionGroupRequestInput = InferArgs<typeof CreatePermissionGroupRequest>;

/** A group by its current names. */
export const GroupInstance = dto("GroupInstance", ["0.97"], {
  id: field("ID", string),
  persona: field("Persona", string),
  instanceSlug: field("InstanceSlug", string),
  displayName: field("DisplayName", string),
});
export type GroupInstance = Infer<typeof GroupInstance>;

/** A direct role of a subject. */
export const GroupMember = dto("GroupMember", everyGeneration, {
  subjectId: field("SubjectID", string),
  subjectKind: field("SubjectKind", string),
  role: field("Role", string),
});
export type GroupMember = Infer<typeof GroupMember>;

/** A group a subject has a role in. */
export const SubjectGroupMembership = dto("SubjectGroupMembership", everyGeneration, {
  groupId: only("0.97", field("GroupID", string)),
  persona: field("Persona", string),
  instanceSlug: field("InstanceSlug", string),
  displayName: only("0.97", field("DisplayName", string)),
  role: field("Role", string),
});
export type SubjectGroupMembership = Infer<typeof SubjectGroupMembership>;

/** An invite link to mint. */
export const CreateGroupInviteLinkRequest = dto("CreateGroupInviteLinkRequest", everyGeneration, {
  persona: field("Persona", string),
  instanceSlug: field("InstanceSlug", string),
  role: field("Role", string),
  expiresIn: field("ExpiresIn", durationNs),
  invitedBy: field("InvitedBy", string),
});
export type CreateGroupInviteLinkRequest = Infer<typeof CreateGroupInviteLinkRequest>;
export type CreateGroupInviteLinkRequestInput = InferArgs<typeof CreateGroupInviteLinkRequest>;

/** An invite link without its code. */
export const GroupInviteLink = dto("GroupInviteLink", everyGeneration, {
  id: field("ID", string),
  permissionGroupId: field("PermissionGroupID", string),
  role: field("Role", string),
  invitedBy: field("InvitedBy", string),
  uses: only("0.73", field("Uses", int64)),
  redeemedAt: only("0.97", field("RedeemedAt", nullable(time))),
  expiresAt: field("ExpiresAt", nullable(time)),
  revokedAt: field("RevokedAt", nullable(time)),
  createdAt: field("CreatedAt", time),
  updatedAt: field("UpdatedAt", time),
});
export type GroupInviteLink = Infer<typeof GroupInviteLink>;

/** The only time the code of an invite link is returned. */
export const GroupInviteLinkCreated = dto("GroupInviteLinkCreated", everyGeneration, {
  id: field("ID", string),
  code: field("Code", string),
  url: field("URL", string),
});
export type GroupInviteLinkCreated = Infer<typeof GroupInviteLinkCreated>;

/** The membership an invite link gave. */
export const RedeemGroupInviteLinkResult = dto("RedeemGroupInviteLinkResult", everyGeneration, {
  persona: field("Persona", string),
  instanceSlug: field("InstanceSlug", string),
  role: field("Role", string),
});
export type RedeemGroupInviteLinkResult = Infer<typeof RedeemGroupInviteLinkResult>;

/** An invitation to register. */
export const CreateAccountRegistrationInviteRequest = dto(
  "CreateAccountRegistrationInviteRequest",
  everyGeneration,
  {
    email: field("Email", string),
    invitedBy: field("InvitedBy", string),
    expiresIn: field("ExpiresIn", durationNs),
    persona: only("0.97", field("Persona", string)),
    instanceSlug: only("0.97", field("InstanceSlug", string)),
    role: only("0.97", field("Role", string)),
  },
);
export type CreateAccountRegistrationInviteRequest = Infer<typeof CreateAccountRegistrationInviteRequest>;
export type CreateAccountRegistrationInviteRequestInput = InferArgs<
  typeof CreateAccountRegistrationInviteRequest
>;

/** The only time the code of a registration invite is returned. */
export const AccountRegistrationInviteCreated = dto("AccountRegistrationInviteCreated", everyGeneration, {
  id: field("ID", string),
  code: field("Code", string),
  url: field("URL", string),
  email: field("Email", string),
  expiresAt: field("ExpiresAt", time),
  persona: only("0.97", field("Persona", string)),
  instanceSlug: only("0.97", field("InstanceSlug", string)),
  role: only("0.97", field("Role", string)),
});
export type AccountRegistrationInviteCreated = Infer<typeof AccountRegistrationInviteCreated>;
