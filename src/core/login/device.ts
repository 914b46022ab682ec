/** Programs by what their `User-Agent` holds, the more particular first: most claim to be several. */
const programs: readonly (readonly [mark: RegExp, name: string])[] = [
  [/\bEdgi?A?(?:iOS)?\//, "Edge"],
  [/\bOPR\/|\bOpera\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bChrome\/|\bCriOS\/|\bChromium\//, "Chrome"],
  [/\bVersion\/.*\bSafari\//, "Safari"],
];

const systems: readonly (readonly [mark: RegExp, name: string])[] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

const longest = 60;

/** What stays the same of a `User-Agent` when the program or system is updated; blank for a blank one. */
export function deviceKey(userAgent: string): string {
  return userAgent.replace(/[\d._]+/g, "").trim();
}

/**
 * A device in a few words: `Firefox, Windows`. Of a program that is not known the name it gives itself, reduced to characters that can neither
 * make a link nor markup of the mail it is put into.
 */
export function deviceName(userAgent: string): string {
  const named = (of: typeof programs) => of.find(([mark]) => mark.test(userAgent))?.[1];
  const system = named(systems);
  const own = (userAgent.split("/")[0] ?? "").replace(/[^A-Za-z0-9 _-]/g, "").trim();
  const program = named(programs) ?? (own === "" || own === "Mozilla" ? undefined : own.slice(0, longest));
  return [program, system].filter((part) => part !== undefined).join(", ") || "?";
}
