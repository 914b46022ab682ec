export { createRequestIds } from "../platform/http/request-id.ts";
