import type { Config } from "../../config/config.ts";
import { systemRandom } from "../random.ts";
import { createPayloadCipher, type PayloadCipher } from "./payload-cipher.ts";

export { createPayloadCipher, type PayloadCipher, type SealedPayload } from "./payload-cipher.ts";
export type { EnqueueOptions, JobQueue } from "./port.ts";
export { createJobQueue } from "./producer.ts";
export {
  type Job,
  type JobDefinition,
  type JobRunner,
  type JobRunnerOptions,
  startJobRunner,
} from "./runner.ts";
export {
  migrateQueue,
  preloadQueueMigration,
  type QueueConnection,
  type QueueDefinition,
  type QueueMigration,
  queueInstalled,
  queueSchema,
} from "./schema.ts";

/** The cipher of this deployment's job payloads. */
export function payloadCipher(config: Config): PayloadCipher {
  return createPayloadCipher(config.keys.codeSecret, systemRandom, config.keys.codeFormerSecrets);
}
