export { type Challenges, createChallenges } from "./challenges.ts";
export { type ContactMessages, createContactMessages } from "./messages.ts";
export { type ContactProofs, createContactProofs } from "./proofs.ts";
