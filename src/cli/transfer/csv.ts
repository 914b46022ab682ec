/** A field as RFC 4180 writes it. */
function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One record, with its line end. */
export function csvLine(fields: readonly string[]): string {
  return `${fields.map(quoted).join(",")}\r\n`;
}

const states = { field: 0, quoted: 1, quote: 2 } as const;

/**
 * Splits CSV (RFC 4180; a lone LF ends a record too) that arrives in pieces into records. Empty lines are no records. `end` yields the last
 * record when the file does not end in a line break. Throws SyntaxError for a quote that is never closed.
 */
export class CsvSplitter {
  #state: 0 | 1 | 2 = states.field;
  #field = "";
  #fields: string[] = [];
  /** The field began with a quote, so that an empty one still counts. */
  #wasQuoted = false;

  *push(text: string): Generator<string[]> {
    for (const char of text) {
      if (this.#state === states.quoted) {
        if (char === '"') this.#state = states.quote;
        else this.#field += char;
        continue;
      }
      if (char === '"') {
        if (this.#state === states.quote) this.#field += '"';
        this.#wasQuoted = true;
        this.#state = states.quoted;
      } else if (char === ",") this.#endField();
      else if (char === "\n") {
        const record = this.#endRecord();
        if (record !== undefined) yield record;
      } else if (char !== "\r") {
        this.#state = states.field;
        this.#field += char;
      }
    }
  }

  end(): string[] | undefined {
    if (this.#state === states.quoted) throw new SyntaxError("a quoted field is not closed");
    return this.#endRecord();
  }

  #endField(): void {
    this.#fields.push(this.#field);
    this.#field = "";
    this.#wasQuoted = false;
    this.#state = states.field;
  }

  #endRecord(): string[] | undefined {
    const blank = this.#fields.length === 0 && this.#field === "" && !this.#wasQuoted;
    if (blank) return undefined;
    this.#endField();
    const fields = this.#fields;
    this.#fields = [];
    return fields;
  }
}
