import pg from "pg";

/** The part of the driver's connection this touches. */
interface DriverConnection {
  describe(portal: unknown): void;
}

/** How rows of a statement are read, as the driver has worked it out. */
interface RowShape {
  readonly fields: pg.FieldDef[];
  readonly parsers: unknown;
  readonly template: unknown;
}

// Of the driver's queries, what the declarations leave out. A test holds this against the pinned version.
declare module "pg" {
  interface Query {
    prepare(connection: DriverConnection): void;
    handleRowDescription(message: unknown): void;
    handleCommandComplete(message: unknown, connection: unknown): void;
    _accumulateRows: boolean;
    _result: { fields: pg.FieldDef[]; _parsers: unknown; _prebuiltEmptyResultObject: unknown };
  }
}

/** What one connection knows of its prepared statements; `undefined` as a value is a statement without rows. */
export type RowShapes = Map<string, RowShape | undefined>;

/**
 * A prepared statement whose rows are described once a connection. The driver asks for the description with each execution; a statement's
 * columns cannot change while it is prepared (PostgreSQL refuses to run it then), and to write, send and read them costs more than many rows.
 */
export class PreparedQuery<R extends pg.QueryResultRow> extends pg.Query<R> {
  readonly #name: string;
  readonly #shapes: RowShapes;

  constructor(
    statement: { readonly name: string; readonly text: string },
    values: unknown[],
    shapes: RowShapes,
    settle: (error: Error | undefined, result: pg.ResultBuilder<R>) => void,
  ) {
    super({ name: statement.name, text: statement.text }, values, settle);
    this.#name = statement.name;
    this.#shapes = shapes;
  }

  /** Called by the driver to send the statement. */
  override prepare(connection: DriverConnection): void {
    const shape = this.#shapes.get(this.#name);
    if (shape === undefined && !this.#shapes.has(this.#name)) {
      super.prepare(connection);
      return;
    }
    if (shape !== undefined) {
      this._result.fields = shape.fields;
      this._result._parsers = shape.parsers;
      this._result._prebuiltEmptyResultObject = shape.template;
      this._accumulateRows = true;
    }
    super.prepare(undescribed(connection));
  }

  /** Called by the driver with the description. */
  override handleRowDescription(message: unknown): void {
    super.handleRowDescription(message);
    const { fields, _parsers: parsers, _prebuiltEmptyResultObject: template } = this._result;
    this.#shapes.set(this.#name, { fields, parsers, template });
  }

  /** Called by the driver at the end of the rows. */
  override handleCommandComplete(message: unknown, connection: unknown): void {
    super.handleCommandComplete(message, connection);
    if (!this.#shapes.has(this.#name)) this.#shapes.set(this.#name, undefined);
  }
}

const silenced = new WeakMap<DriverConnection, DriverConnection>();

/** The same connection, on which nothing is described. */
function undescribed(connection: DriverConnection): DriverConnection {
  const known = silenced.get(connection);
  if (known !== undefined) return known;
  const quiet: DriverConnection = Object.create(connection, { describe: { value: () => undefined } });
  silenced.set(connection, quiet);
  return quiet;
}
