/** On the wire a message is preceded by the id of its publication, by which the publisher recognises its own echo. */
export interface Envelope {
  readonly id: string;
  readonly message: string;
}

export function encodeEnvelope(envelope: Envelope): string {
  return `${envelope.id} ${envelope.message}`;
}

export function decodeEnvelope(text: string): Envelope | undefined {
  const space = text.indexOf(" ");
  return space <= 0 ? undefined : { id: text.slice(0, space), message: text.slice(space + 1) };
}
