import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { countUndelivered, listReplies, readInbound, readOutbound } from './read-v2-session.ts'

/** A database that knows the longest text that was ever read of it. */
class WatchedDatabase extends DatabaseSync {
  longest = 0

  constructor(schema: string) {
    super(':memory:', { readBigInts: true })
    this.exec(schema)
  }

  override prepare(sql: string): StatementSync {
    return new Proxy(super.prepare(sql), {
      get: (statement, name) => {
        const read: (...values: unknown[]) => unknown = Reflect.get(statement, name)
        return (...values: unknown[]) => this.#note(Reflect.apply(read, statement, values))
      },
    })
  }

  #note(found: unknown): unknown {
    const values = [found ?? []].flat().flatMap((row) => Object.values(row))
    this.longest = Math.max(this.longest, ...values.map((value) => String(value).length))
    return found
  }
}

it('takes no value out of a database that is longer than a name, whatever its columns hold (G5)', () => {
  const long = "printf('%.*c', 3000, 'x')"
  using inbound = new WatchedDatabase(`CREATE TABLE messages_in (id, kind, status, timestamp, process_after, recurrence,
      series_id, tries, on_wake, trigger); CREATE TABLE delivered (message_out_id);
    INSERT INTO messages_in SELECT 'm1', ${long}, 'pending', ${`${long}, `.repeat(6)} ${long};
    INSERT INTO messages_in SELECT 'm2', 'chat', 'pending', '', NULL, '', '', 0, 0, 0;
    INSERT INTO delivered SELECT ${long}`)
  using outbound = new WatchedDatabase(`CREATE TABLE messages_out (id);
    CREATE TABLE processing_ack (message_id, status, status_changed); CREATE TABLE session_state (key, value);
    CREATE TABLE container_state (current_tool, tool_declared_timeout_ms, tool_started_at);
    INSERT INTO messages_out SELECT ${long}; INSERT INTO processing_ack SELECT ${long}, 'processing', ${long};
    INSERT INTO session_state SELECT 'continuation:x', ${long};
    INSERT INTO container_state SELECT ${long}, ${long}, ${long}`)
  const { open } = readInbound(inbound)
  expect(open.map(({ isTrigger }) => isTrigger)).toEqual([true, false])
  readOutbound(outbound, ['m1'])
  expect([...listReplies(outbound)].map((page) => countUndelivered(inbound, page))).toEqual([1])
  expect(Math.max(inbound.longest, outbound.longest)).toBeLessThanOrEqual(1_024)
})
