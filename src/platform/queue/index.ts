import type { Config } from "../../config/config.ts";
import type { Log } from "../log/port.ts";
import type { Database } from "../postgres/port.ts";
import { systemRandom } from "../random.ts";
import { createPayloadCipher, type PayloadCipher } from "./payload-cipher.ts";
import type { JobQueue } from "./port.ts";
import { createQueueProducer } from "./producer.ts";

export { createPayloadCipher, type PayloadCipher, type SealedPayload } from "./payload-cipher.ts";
export type { EnqueueOptions, JobQueue } from "./port.ts";
export {
  type Job,
  type JobDefinition,
  type JobRunner,
  type JobRunnerOptions,
  startJobRunner,
} from "./runner.ts";
export {
  migrateQueue,
  queueInstalled,
  type QueueConnection,
  type QueueDefinition,
  type QueueMigration,
  queueSchema,
} from "./schema.ts";

/** The sending side, for every worker. */
export function createJobQueue(_config: Config, database: Database, log: Log): JobQueue {
  return createQueueProducer(database, log);
}

/** The cipher of this deployment's job payloads. */
export function payloadCipher(config: Config): PayloadCipher {
  return createPayloadCipher(config.keys.codeSecret, systemRandom);
}
