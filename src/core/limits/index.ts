export { actionOf, type Bucket, type BucketName, bucketOf, buckets, defaultBucket } from "./buckets.ts";
export { type ClientIpResolver, createClientIpResolver, type HeaderValues } from "./client-ip.ts";
export {
  createLimits,
  type LimitResult,
  type LimitSubject,
  type Limits,
  type LimitsPlatform,
  tighter,
} from "./limits.ts";
export { rateLimitHeaders } from "./refusal.ts";
