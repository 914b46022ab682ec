import { PreciseDate } from "../time.ts";
import { JsonError } from "./reader.ts";

const rfc3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$/;

/**
 * Strict RFC 3339: capital `T` and `Z`, no leap second, an existing day. Digits finer than a nanosecond are dropped.
 *
 * Throws {@link JsonError}.
 */
export function parseTime(text: string): Date {
  const match = rfc3339.exec(text);
  if (match === null) throw new JsonError("not an RFC 3339 time");
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second,
    fraction = "",
    sign,
    offsetHour = "0",
    offsetMinute = "0",
  ] = match;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const exists = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  const inRange =
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60 &&
    Number(offsetHour) < 24 &&
    Number(offsetMinute) < 60;
  if (!exists || !inRange) throw new JsonError("a time that does not exist");
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, "0"));
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === "-" ? -60 : 60);
  const millis = date.getTime() + (seconds - offset) * 1000 + Math.floor(nanoseconds / 1e6);
  const rest = nanoseconds % 1e6;
  return rest === 0 ? new Date(millis) : new PreciseDate(millis, rest);
}

/** RFC 3339 in UTC, fraction without trailing zeros. Throws RangeError for an invalid Date or a year outside 0 to 9999. */
export function formatTime(time: Date): string {
  const iso = time.toISOString();
  if (iso.length !== 24) throw new RangeError("a year that RFC 3339 cannot write");
  const rest = time instanceof PreciseDate ? String(time.subMillisecond).padStart(6, "0") : "";
  const fraction = (iso.slice(20, 23) + rest).replace(/0+$/, "");
  return fraction === "" ? `${iso.slice(0, 19)}Z` : `${iso.slice(0, 19)}.${fraction}Z`;
}

/** Standard base64 with padding; CR and LF anywhere are ignored. Throws {@link JsonError}. */
export function parseBase64(text: string): Uint8Array {
  const compact = text.replace(/[\r\n]+/g, "");
  const valid = compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact);
  if (!valid) throw new JsonError("not base64");
  return Uint8Array.from(atob(compact), (character) => character.charCodeAt(0));
}

/** Standard base64 with padding. */
export function formatBase64(bytes: Uint8Array): string {
  let binary = "";
  // Arguments of one call are limited by the stack, so long values go in pieces.
  for (let at = 0; at < bytes.length; at += 8192)
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}

const ipv4Part = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const ipv4 = new RegExp(`^${ipv4Part}(?:\\.${ipv4Part}){3}$`);

function groupsOf(part: string, last: boolean): number {
  if (part === "") return 0;
  const groups = part.split(":");
  let count = 0;
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) count += 1;
    else if (last && index === groups.length - 1 && ipv4.test(group)) count += 2;
    else return Number.NaN;
  }
  return count;
}

/** Whether `text` is an IPv4 or IPv6 address, IPv4-mapped ones included, without zone. */
export function isIpAddress(text: string): boolean {
  if (ipv4.test(text)) return true;
  const [head = "", tail, ...more] = text.split("::");
  if (!text.includes(":") || more.length > 0) return false;
  if (tail === undefined) return groupsOf(head, true) === 8;
  return groupsOf(head, false) + groupsOf(tail, true) <= 7;
}
