import type { NativeRequest } from "./native.ts";

/**
 * True when the length of a request's body could be understood differently by a proxy in front: a repeated or malformed Content-Length, or a
 * transfer coding other than a single `chunked` (RFC 9112 §6.1–6.3). The native parser takes the first length and any coding's name.
 */
export function isAmbiguous(request: NativeRequest): boolean {
  const length = request.getHeader("content-length");
  const coding = request.getHeader("transfer-encoding");
  if (length === "" && coding === "") return false;
  if (coding !== "" && coding.toLowerCase() !== "chunked") return true;
  if (length !== "" && !/^\d{1,15}$/.test(length)) return true;
  let count = 0;
  request.forEach((name) => {
    if (name === "content-length" || name === "transfer-encoding") count++;
  });
  return count !== 1;
}
