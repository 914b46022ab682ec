import { type Queryable, type SqlValue, type Statement, sql } from "../../platform/postgres/port.ts";
import { userColumns } from "./store.ts";
import type { UserRow } from "./types.ts";

export type UserStatus = "live" | "active" | "banned" | "deleted" | "any";
export type UserSort = "created_at" | "last_login" | "username" | "email";

/** A validated question to the directory. */
export interface DirectoryQuery {
  readonly status: UserStatus;
  readonly sort: UserSort;
  readonly descending: boolean;
  readonly nullsLast: boolean;
  /** Substring, any case. */
  readonly search: string | undefined;
  readonly role: string | undefined;
  readonly now: Date;
}

export interface DirectoryRow extends UserRow {
  /** Live root roles, declared or not. */
  readonly rootRoles: readonly string[];
}

const live = "u.deleted_at IS NULL";
const banned = "u.banned_at IS NOT NULL AND (u.banned_until IS NULL OR u.banned_until > $2)";

/** Each status as strata that one partial index can serve by itself. `$2` is now. */
const strata: Readonly<Record<UserStatus, readonly string[]>> = {
  live: [live],
  active: [`${live} AND NOT (${banned})`],
  banned: [`${live} AND ${banned}`],
  deleted: ["u.deleted_at IS NOT NULL"],
  any: [live, "u.deleted_at IS NOT NULL"],
};

const rootRoleOf = (s: string) => `
  FROM ${s}.group_user_roles AS r JOIN ${s}.permission_groups AS g ON g.id = r.permission_group_id
  WHERE r.user_id = u.id AND r.deleted_at IS NULL AND g.persona = 'root' AND g.deleted_at IS NULL`;

function filter(s: string, search: boolean): string {
  const matches = `AND (u.username::text ILIKE $3 OR u.email::text ILIKE $3 OR u.phone_number ILIKE $3)`;
  return `
    $2::timestamptz IS NOT NULL AND ($1::text IS NULL OR EXISTS (SELECT ${rootRoleOf(s)} AND lower(r.role) = $1))
    ${search ? matches : ""}`;
}

const withRoles = (s: string) => `
  ${userColumns}, ARRAY(SELECT DISTINCT lower(r.role) ${rootRoleOf(s)} ORDER BY 1) AS "rootRoles"`;

interface Order {
  readonly sort: UserSort;
  readonly descending: boolean;
  readonly nullsLast: boolean;
}

/**
 * A page. Every stratum is cut to the page's end in the order of an index; only the few rows left are sorted together. PostgreSQL puts
 * unset values last ascending and first descending by itself; the other way round makes two strata of one.
 */
function listText(s: string, status: UserStatus, order: Order, search: boolean): string {
  const direction = order.descending ? "DESC" : "ASC";
  const turned = order.nullsLast && order.descending;
  const parts = turned
    ? strata[status].flatMap((where) => [
        `${where} AND u.${order.sort} IS NOT NULL`,
        `${where} AND u.${order.sort} IS NULL`,
      ])
    : strata[status];
  const [limit, offset] = search ? ["$4", "$5"] : ["$3", "$4"];
  const selected = parts.map(
    (where) => `(
      SELECT u.* FROM ${s}.users AS u WHERE ${where} AND ${filter(s, search)}
      ORDER BY u.${order.sort} ${direction}, u.id ${direction} LIMIT ${limit}::bigint + ${offset}::bigint
    )`,
  );
  const by = `u.${order.sort} ${direction}${turned ? " NULLS LAST" : ""}, u.id ${direction}`;
  return `
    SELECT ${withRoles(s)}
    FROM (
      SELECT * FROM (${selected.join(" UNION ALL ")}) AS u ORDER BY ${by} LIMIT ${limit} OFFSET ${offset}
    ) AS u
    ORDER BY ${by}`;
}

function countText(s: string, status: UserStatus, search: boolean): string {
  const where = strata[status].map((part) => `(${part})`).join(" OR ");
  return `SELECT count(*) AS total FROM ${s}.users AS u WHERE (${where}) AND ${filter(s, search)}`;
}

const sorts: readonly UserSort[] = ["created_at", "last_login", "username", "email"];
const statuses: readonly UserStatus[] = ["live", "active", "banned", "deleted", "any"];
const orders: readonly Order[] = sorts.flatMap((sort) => [
  { sort, descending: false, nullsLast: false },
  { sort, descending: true, nullsLast: false },
  { sort, descending: true, nullsLast: true },
]);

function variant(status: UserStatus, search: boolean, order?: Order): string {
  const ordering =
    order && `${order.sort}.${order.descending ? (order.nullsLast ? "descNullsLast" : "desc") : "asc"}`;
  return [ordering ? "users.list" : "users.count", status, ordering, search ? "search" : undefined]
    .filter(Boolean)
    .join(".");
}

/** All statements there can be, by name; their texts are made when first run. */
const statements: ReadonlyMap<string, Statement> = new Map(
  statuses
    .flatMap((status) =>
      [false, true].flatMap((search) => [
        sql(variant(status, search), (s) => countText(s, status, search)),
        ...orders.map((order) =>
          sql(variant(status, search, order), (s) => listText(s, status, order, search)),
        ),
      ]),
    )
    .map((statement) => [statement.name, statement]),
);

function statement(name: string): Statement {
  const known = statements.get(name);
  if (known === undefined) throw new Error(`no directory statement ${name}`);
  return known;
}

/** The statement that lists `query`; exported for looking at its plan. */
export function listStatement(query: DirectoryQuery): Statement {
  const { sort, descending } = query;
  const order = { sort, descending, nullsLast: query.nullsLast && descending };
  return statement(variant(query.status, query.search !== undefined, order));
}

/** Values of both statements but page limits: role, now and, when searching, the pattern with its wildcards escaped. */
export function filterValues(query: DirectoryQuery): SqlValue[] {
  const values: SqlValue[] = [query.role ?? null, query.now];
  if (query.search !== undefined) values.push(`%${query.search.replace(/[\\%_]/g, "\\$&")}%`);
  return values;
}

const adminById = sql(
  "users.adminById",
  (s) => `SELECT ${withRoles(s)} FROM ${s}.users AS u WHERE u.id = $1`,
);

export const directoryStore = {
  list(on: Queryable, query: DirectoryQuery, limit: number, offset: number): Promise<DirectoryRow[]> {
    return on.rows<DirectoryRow>(listStatement(query), [...filterValues(query), limit, offset]);
  },
  async count(on: Queryable, query: DirectoryQuery): Promise<number> {
    const name = variant(query.status, query.search !== undefined);
    return (await on.row<{ readonly total: number }>(statement(name), filterValues(query)))?.total ?? 0;
  },
  byId: (on: Queryable, id: string) => on.row<DirectoryRow>(adminById, [id]),
};
