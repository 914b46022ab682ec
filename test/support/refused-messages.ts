import type pg from "pg";
import { deliveryQueues } from "../../src/core/messages/envelope.ts";
import { queueSchema } from "../../src/platform/queue/schema.ts";

/** From now on no message can be handed over: the queues of both channels take none. */
export async function refuseMessages(sql: pg.Client): Promise<void> {
  const queues = Object.values(deliveryQueues).map((name) => sql.escapeLiteral(name));
  await sql.query(`CREATE FUNCTION refuse_message() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'no message is taken'; END $$`);
  await sql.query(`CREATE TRIGGER refuse_message BEFORE INSERT ON ${queueSchema("profiles")}.job
    FOR EACH ROW WHEN (NEW.name IN (${queues.join(", ")})) EXECUTE FUNCTION refuse_message()`);
}
