import { dto, field, type Infer, omitEmpty, string } from "../types.ts";

/** What became of one item of a batch. */
export const OpResult = dto("OpResult", ["0.97"], {
  id: field("id", string),
  error: omitEmpty(field("error", string)),
});
export type OpResult = Infer<typeof OpResult>;
