import { describe, expect, it } from 'vitest'
import { parseAgentSpec } from './parse-agent-spec.ts'

const SPEC = { kind: 'command', command: ['cat'], per: 'message', timeoutMs: 1_000, maxReplyBytes: 500 }

describe('parseAgentSpec', () => {
  it('reads what a host sends, and ignores what a newer one adds', () => {
    expect(parseAgentSpec(JSON.stringify({ ...SPEC, newer: true }))).toEqual(SPEC)
  })

  it('keeps a reply within what a message may be', () => {
    expect(parseAgentSpec(JSON.stringify({ ...SPEC, maxReplyBytes: 1e9 })).maxReplyBytes).toBe(2 * 1024 * 1024)
  })

  it.each([
    ['SESSIOND_AGENT is not set', null],
    ['not valid JSON', '{'],
    ['must be a JSON object', '[]'],
    ['must be a JSON object', 'null'],
    ['kind', JSON.stringify({ ...SPEC, kind: 'acp' })],
    ['command', JSON.stringify({ ...SPEC, command: [] })],
    ['command', JSON.stringify({ ...SPEC, command: 'cat' })],
    ['command', JSON.stringify({ ...SPEC, command: ['cat', 7] })],
    ['command', JSON.stringify({ ...SPEC, command: [''] })],
    ['command', JSON.stringify({ ...SPEC, command: ['cat\0'] })],
    ['per', JSON.stringify({ ...SPEC, per: 'day' })],
    ['timeoutMs', JSON.stringify({ ...SPEC, timeoutMs: 0 })],
    ['timeoutMs', JSON.stringify({ ...SPEC, timeoutMs: '30m' })],
    ['maxReplyBytes', JSON.stringify({ ...SPEC, maxReplyBytes: 1.5 })],
  ])('names what is wrong: %s', (word, json) => {
    expect(() => parseAgentSpec(json)).toThrow(expect.objectContaining({ code: 'BAD_CONFIGURATION' }))
    expect(() => parseAgentSpec(json)).toThrow(word)
  })

  it('(G10) does not quote a specification it cannot read', () => {
    expect(() => parseAgentSpec('{"command":["login","--password","hunter2"')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    )
  })
})
