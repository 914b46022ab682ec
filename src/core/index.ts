import { type ApiKeys, createApiKeys } from "./api-keys/index.ts";
import { type Audit, type AuditTrail, createAudit } from "./audit/index.ts";
import type { Authorization } from "./authentication/authorization.ts";
import { type Authenticator, createAuthenticator } from "./authentication/index.ts";
import {
  type Bootstrap,
  createBootstrap,
  createDeclaredApplications,
  createRoleAuthority,
  type DeclaredAuthority,
} from "./bootstrap/index.ts";
import { type BreachedPasswords, loadBreachedPasswords } from "./breached-passwords/index.ts";
import { type CleanupOptions, type CleanupReport, cleanExpiredState } from "./cleanup/index.ts";
import { type ContactChanges, createContactChanges } from "./contact-change/index.ts";
import { createDevelopmentMint, type DevelopmentMint } from "./development/index.ts";
import { createFederation, type Federation } from "./federation/index.ts";
import { createGroups, type Groups } from "./groups/index.ts";
import { createIdentities, type Identities } from "./identities/index.ts";
import {
  createInviteLinks,
  createMembershipInvites,
  createRegistrationInvites,
  type InviteLinks,
  type MembershipInvites,
  type RegistrationInvites,
} from "./invites/index.ts";
import { createLimits, type Limits } from "./limits/index.ts";
import { createLoginCompletion } from "./login/completion.ts";
import { createNewDevices } from "./login/new-devices.ts";
import { createPasswordLogin, type PasswordLogin } from "./login/password-login.ts";
import type { LoginCompletion } from "./login/types.ts";
import { createMessages, type MessageService } from "./messages/index.ts";
import { createMfaStates, createSecondFactors, type SecondFactors } from "./mfa/index.ts";
import { mfaStateStore } from "./mfa/state-store.ts";
import type { MfaStates } from "./mfa/types.ts";
import { createNotices, type Notices } from "./notices/index.ts";
import { createPasskeys, type Passkeys } from "./passkeys/index.ts";
import { createPasswordReset, type PasswordReset } from "./password-reset/index.ts";
import { createPasswordless, type Passwordless } from "./passwordless/index.ts";
import {
  createOwnPassword,
  createPasswordChanges,
  createPasswords,
  type OwnPassword,
  type PasswordChanges,
  type Passwords,
} from "./passwords/index.ts";
import type { Platform } from "./platform.ts";
import { createProfiles, type Profiles } from "./profile/index.ts";
import {
  consumeInvite,
  createPendingLogins,
  createRegistration,
  createRegistrationBooks,
  type Registration,
} from "./registration/index.ts";
import {
  createApplicationResolver,
  createRemoteApplications,
  createSelfRegistration,
  type RemoteApplications,
  type SelfRegistration,
} from "./remote-applications/index.ts";
import { createRevocations, type Revocations } from "./revocations/index.ts";
import { createSessions, type Sessions } from "./sessions/index.ts";
import { createSignedDocuments, type SignedDocuments } from "./signed-documents/index.ts";
import type { TotpKeys } from "./signing-keys/index.ts";
import type { KeyRing } from "./signing-keys/types.ts";
import { createSolana, type Solana } from "./solana/index.ts";
import { createSensitiveGate, type SensitiveGate } from "./step-up/sensitive.ts";
import { createTokenMint, createTokens, type TokenMint, type Tokens } from "./tokens/index.ts";
import { createTransfers, type Transfers } from "./transfer/index.ts";
import { createUsers, type UserOperations } from "./users/index.ts";
import {
  createContactMessages,
  createContactProofs,
  createRecoveryRequests,
  createVerification,
  createVerificationGate,
  type RecoveryRequests,
  type Verification,
} from "./verification/index.ts";

/** Every capability of the server over one platform: what the planes call, and nothing else. */
export interface Core {
  /** The clock every capability goes by. */
  readonly clock: Platform["clock"];
  readonly keyRing: KeyRing;
  readonly audit: Audit & AuditTrail;
  readonly revocations: Revocations;
  readonly limits: Limits;
  readonly users: UserOperations;
  readonly identities: Identities;
  readonly mfaStates: MfaStates;
  readonly groups: Groups;
  readonly tokens: Tokens;
  readonly mint: TokenMint;
  readonly developmentMint: DevelopmentMint;
  readonly sessions: Sessions;
  readonly passwords: Passwords;
  readonly passwordChanges: PasswordChanges;
  readonly messages: MessageService;
  readonly notices: Notices;
  readonly secondFactors: SecondFactors;
  readonly loginCompletion: LoginCompletion;
  readonly passwordLogin: PasswordLogin;
  readonly profiles: Profiles;
  readonly registration: Registration;
  readonly verification: Verification;
  readonly contactChanges: ContactChanges;
  readonly passwordReset: PasswordReset;
  readonly passwordless: Passwordless;
  readonly ownPassword: OwnPassword;
  readonly recoveryRequests: RecoveryRequests;
  readonly passkeys: Passkeys;
  readonly sensitiveGate: SensitiveGate;
  readonly inviteLinks: InviteLinks;
  readonly membershipInvites: MembershipInvites;
  readonly registrationInvites: RegistrationInvites;
  readonly apiKeys: ApiKeys;
  readonly remoteApplications: RemoteApplications;
  readonly selfRegistration: SelfRegistration;
  readonly signedDocuments: SignedDocuments;
  readonly authenticator: Authenticator;
  readonly authorization: Authorization;
  readonly federation: Federation;
  readonly solana: Solana;
  readonly bootstrap: Bootstrap;
  readonly transfers: Transfers;
  /** Removes expired state, as the hourly job does. */
  cleanup(options?: CleanupOptions): Promise<CleanupReport>;
  /** Loads what has to be in memory before the first request, and subscribes to changes. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** What the workers load before the capabilities are put together. */
export interface CoreParts {
  readonly keyRing: KeyRing;
  /** AES keys of TOTP secrets; without any TOTP is not offered. */
  readonly totpKeys: TotpKeys | undefined;
  readonly breachedPasswords: BreachedPasswords | undefined;
}

export { loadBreachedPasswords };

/** The composition root of the capabilities: dependencies are handed over here, and only here. */
export function createCore(platform: Platform, parts: CoreParts): Core {
  const { config, clock, log } = platform;
  const { keyRing, totpKeys, breachedPasswords } = parts;

  const audit = createAudit(platform);
  const limits = createLimits(platform);
  const revocations = createRevocations(platform);
  const messages = createMessages(platform);
  const tokens = createTokens(config, keyRing, clock, log);
  const mint = createTokenMint(platform, keyRing);
  const developmentMint = createDevelopmentMint(platform, tokens);
  const users = createUsers(platform, revocations, audit);
  const notices = createNotices(messages, users, log);
  const identities = createIdentities(platform, audit);
  const mfaStates = createMfaStates(platform, {
    senderAvailable: (channel) => messages.available(channel),
    totpAvailable: () => totpKeys !== undefined,
  });
  const sessions = createSessions(platform, users, mfaStates, tokens, audit, revocations);
  const passwords = createPasswords(platform, breachedPasswords);
  const passwordChanges = createPasswordChanges(platform, { passwords, sessions, audit });
  const profiles = createProfiles(platform);
  const contactMessages = createContactMessages(messages, log);
  const contactProofs = createContactProofs(platform, contactMessages);
  const registrationBooks = createRegistrationBooks(platform, { users, audit, messages: contactMessages });
  const secondFactors: SecondFactors = createSecondFactors(platform, {
    users,
    states: mfaStates,
    sessions,
    passwords,
    messages,
    limits,
    audit,
    notices,
    totpKeys,
    gate: () => sensitiveGate,
    completion: () => loginCompletion,
  });
  const loginCompletion: LoginCompletion = createLoginCompletion({
    users,
    sessions,
    secondFactors: secondFactors.login,
    newDevices: createNewDevices(platform, notices),
    verification: createVerificationGate(platform, {
      proofs: contactProofs,
      messages: contactMessages,
      limits,
    }),
  });
  const passwordLogin = createPasswordLogin({
    users,
    passwords,
    limits,
    audit,
    completion: loginCompletion,
    pending: createPendingLogins(platform, { pending: registrationBooks.pending, passwords, limits }),
  });
  const recoveryRequests = createRecoveryRequests(platform);
  const registration = createRegistration(platform, {
    ...registrationBooks,
    users,
    passwords,
    limits,
    messages: contactMessages,
    completion: loginCompletion,
    background: recoveryRequests,
    startVerification: contactProofs.start,
  });
  const passwordless = createPasswordless(platform, {
    users,
    accounts: registrationBooks.accounts,
    audit,
    messages,
    completion: () => loginCompletion,
    background: ({ channel, address, ...rest }, context) =>
      recoveryRequests.enqueue("passwordless", channel, address, context, { passwordless: rest }),
  });
  const contactChanges = createContactChanges(platform, {
    users,
    proofs: contactProofs,
    messages: contactMessages,
    background: recoveryRequests,
  });
  const verification = createVerification(platform, {
    users,
    pending: registrationBooks.pending,
    proofs: contactProofs,
    changes: contactChanges,
    completion: loginCompletion,
    background: recoveryRequests,
  });
  const passwordReset = createPasswordReset(platform, {
    users,
    passwords,
    passwordChanges,
    messages,
    contactMessages,
    audit,
    background: recoveryRequests,
  });
  const groups = createGroups(platform, {
    audit,
    async hasSecondFactor(on, userId) {
      const { enabled, factors } = await mfaStateStore.state(on, userId);
      return enabled && factors.length > 0;
    },
  });
  const { authorization } = groups;
  const inviteParts = { groups, audit, messages };
  const inviteLinks = createInviteLinks(platform, inviteParts);
  const membershipInvites = createMembershipInvites(platform, inviteParts);
  const registrationInvites = createRegistrationInvites(platform, { ...inviteParts, mail: messages });
  const apiKeys = createApiKeys(platform, { groups, audit });
  const remoteApplications = createRemoteApplications(platform, { groups, audit });
  const selfRegistration = createSelfRegistration(platform, { groups, audit });
  const authenticator = createAuthenticator({
    ...{ config, keyring: keyRing, revocations, clock, log, apiKeys },
    remoteApplications: createApplicationResolver(platform, remoteApplications),
  });
  const federation = createFederation(platform, {
    users,
    identities,
    audit,
    consumeInvite,
    sessions,
    completion: loginCompletion,
    notices,
    requestEmail: (userId, email, context) => contactChanges.request(userId, "email", email, context),
    limits,
  });
  const sensitiveGate: SensitiveGate = createSensitiveGate(platform, {
    sessions,
    passwords,
    mfaStates,
    limits,
    audit,
    providers: () => federation.providers(),
  });
  const ownPassword = createOwnPassword({
    users,
    passwords,
    passwordChanges,
    gate: sensitiveGate,
    messages: contactMessages,
  });
  const passkeys = createPasskeys(platform, { users, audit, notices, completion: loginCompletion });
  const solana = createSolana(platform, {
    users,
    identities,
    audit,
    completion: loginCompletion,
    gate: sensitiveGate,
    notices,
    consumeInvite,
  });
  const declaredAuthority: DeclaredAuthority = {
    ...createRoleAuthority(platform, audit),
    ...createDeclaredApplications(remoteApplications),
  };
  const bootstrap = createBootstrap(platform, {
    users,
    passwords,
    passwordChanges,
    audit,
    authority: declaredAuthority,
  });

  return {
    clock,
    keyRing,
    audit,
    revocations,
    limits,
    users,
    identities,
    mfaStates,
    groups,
    tokens,
    mint,
    developmentMint,
    sessions,
    passwords,
    passwordChanges,
    messages,
    notices,
    secondFactors,
    loginCompletion,
    passwordLogin,
    profiles,
    registration,
    verification,
    contactChanges,
    passwordReset,
    passwordless,
    ownPassword,
    recoveryRequests,
    passkeys,
    sensitiveGate,
    inviteLinks,
    membershipInvites,
    registrationInvites,
    apiKeys,
    remoteApplications,
    selfRegistration,
    signedDocuments: createSignedDocuments(platform, mint),
    authenticator,
    authorization,
    federation,
    solana,
    bootstrap,
    transfers: createTransfers(platform, { users, audit }),
    cleanup: (options) => cleanExpiredState(platform, options),
    async start() {
      await revocations.start();
      await messages.start();
    },
    async close() {
      await apiKeys.close();
      await messages.close();
      await revocations.close();
    },
  };
}
