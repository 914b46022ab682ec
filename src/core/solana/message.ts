/** Fields of a sign-in message in the order they are written in. */
const fieldNames = {
  uri: "URI",
  version: "Version",
  chainId: "Chain ID",
  nonce: "Nonce",
  issuedAt: "Issued At",
  expirationTime: "Expiration Time",
  notBefore: "Not Before",
  requestId: "Request ID",
} as const;

type Field = keyof typeof fieldNames;
const fields = Object.keys(fieldNames).filter((name): name is Field => Object.hasOwn(fieldNames, name));

/** A line that, leading blanks aside, begins so ends the statement. */
const firstFields = ["URI:", "Version:", "Chain ID:", "Nonce:", "Issued At:"];
const header = / wants you to sign in with your Solana account:$/;

/** What a wallet is asked to sign; times are RFC 3339 in UTC. */
export interface SignInInput {
  readonly domain: string;
  readonly address: string;
  readonly statement?: string | undefined;
  readonly uri?: string | undefined;
  readonly version?: string | undefined;
  readonly chainId?: string | undefined;
  readonly nonce: string;
  readonly issuedAt: string;
  readonly expirationTime?: string | undefined;
  readonly notBefore?: string | undefined;
  readonly requestId?: string | undefined;
  readonly resources?: readonly string[] | undefined;
}

/** A signed text taken apart. */
export interface SignInMessage extends Partial<Record<Field, string>> {
  readonly domain: string;
  readonly address: string;
  readonly statement: string;
  readonly resources: readonly string[];
  /** A field is there more than once. */
  readonly ambiguous: boolean;
}

/** The text of a sign-in message (Sign In With Solana, which follows ERC-4361): LF between lines, none at the end. */
export function signInText(input: SignInInput): string {
  const lines = [`${input.domain} wants you to sign in with your Solana account:`, input.address, ""];
  if (input.statement) lines.push(input.statement, "");
  for (const field of fields) {
    const value = input[field];
    if (value) lines.push(`${fieldNames[field]}: ${value}`);
  }
  if (input.resources?.length) lines.push("Resources:", ...input.resources.map((uri) => `- ${uri}`));
  return lines.join("\n");
}

function collect(lines: readonly string[]) {
  const found: Partial<Record<Field, string>> = {};
  const resources: string[] = [];
  let ambiguous = false;
  let listing = false;
  let listed = false;
  for (const line of lines) {
    if (listing && line.startsWith("- ")) {
      resources.push(line.slice(2));
      continue;
    }
    listing = line === "Resources:";
    if (listing) {
      ambiguous ||= listed;
      listed = true;
      continue;
    }
    const field = fields.find((name) => line.startsWith(`${fieldNames[name]}: `));
    if (field === undefined) continue;
    ambiguous ||= Object.hasOwn(found, field);
    found[field] = line.slice(fieldNames[field].length + 2);
  }
  return { found, resources, ambiguous };
}

/** Reads a signed text; undefined when it is no sign-in message at all. A carriage return makes it none. */
export function parseSignInText(text: string): SignInMessage | undefined {
  const [first = "", second, ...rest] = text.split("\n");
  const address = second?.trim() ?? "";
  if (!header.test(first) || address === "") return undefined;
  const begin = rest.findIndex((line) => firstFields.some((name) => line.trimStart().startsWith(name)));
  const statement = begin < 0 ? rest : rest.slice(0, begin);
  const { found, resources, ambiguous } = collect(begin < 0 ? [] : rest.slice(begin));
  return {
    ...found,
    domain: first.replace(header, ""),
    address,
    statement: statement.join("\n").trim(),
    resources,
    ambiguous,
  };
}
