import { randomBytes } from "node:crypto";

const acceptable = /^[A-Za-z0-9._:-]{8,128}$/;

/** Makes request ids: the caller's `X-Request-Id` when it is harmless, else a process prefix and a counter (unique without a random read a request). */
export function createRequestIds(): (offered: string | undefined) => string {
  const prefix = randomBytes(9).toString("base64url");
  let count = 0;
  return (offered) => {
    if (offered !== undefined && acceptable.test(offered)) return offered;
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
