import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

export type SqlValue = SQLInputValue

/** One SQLite connection with its prepared statements: SQL in, plain rows out. Rows are typed by the STRICT schema. */
export class Database {
  readonly #connection: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(path: string, options: { readonly readOnly: boolean; readonly busyTimeoutMs: number }) {
    this.#connection = new DatabaseSync(path, {
      readOnly: options.readOnly,
      timeout: options.busyTimeoutMs,
      enableForeignKeyConstraints: true,
      defensive: true,
    })
  }

  get isInTransaction(): boolean {
    return this.#connection.isTransaction
  }

  /** Runs statements that take nothing and give nothing. */
  exec(sql: string): void {
    this.#connection.exec(sql)
  }

  /** Runs one write and returns how many rows it changed. */
  run(sql: string, ...values: SqlValue[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }

  /** Runs one insert and returns the new row's number. */
  insert(sql: string, ...values: SqlValue[]): number {
    return Number(this.#statement(sql).run(...values).lastInsertRowid)
  }

  get<Row extends object>(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as unknown as Row | undefined
  }

  all<Row extends object>(sql: string, ...values: SqlValue[]): Row[] {
    return this.#statement(sql).all(...values) as unknown as Row[]
  }

  /** Reads row by row, so that who has enough leaves the rest unread. */
  iterate<Row extends object>(sql: string, ...values: SqlValue[]): Iterable<Row> {
    return this.#statement(sql).iterate(...values) as unknown as Iterable<Row>
  }

  /** Rolls back whatever is open; SQLite may have done so itself (a full disk, an I/O error). */
  rollback(): void {
    if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
  }

  close(): void {
    this.#statements.clear()
    if (this.#connection.isOpen) this.#connection.close()
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#connection.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
