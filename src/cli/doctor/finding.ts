/** What one check has found. `fix` says what to do; a finding that is well needs none. */
export interface Finding {
  readonly state: "ok" | "warning" | "problem";
  readonly what: string;
  readonly fix?: string | undefined;
}

export const ok = (what: string): Finding => ({ state: "ok", what });
export const warning = (what: string, fix: string): Finding => ({ state: "warning", what, fix });
export const problem = (what: string, fix: string): Finding => ({ state: "problem", what, fix });

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return `${error.message}${cause}`.split("\n")[0] ?? "";
}

const marks: Readonly<Record<Finding["state"], string>> = {
  ok: "ok     ",
  warning: "warning",
  problem: "PROBLEM",
};

/** One line, or two when there is something to do. */
export function findingLines({ state, what, fix }: Finding): string[] {
  return [`${marks[state]}  ${what}`, ...(fix === undefined ? [] : [`         → ${fix}`])];
}
