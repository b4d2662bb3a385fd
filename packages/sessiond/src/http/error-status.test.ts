import { expect, it } from 'vitest'
import { ERROR_CATALOGUE } from '../model/errors.ts'
import { PLACED_CODES, statusOf } from './error-status.ts'

it('gives every code of the catalogue a status, and no other', () => {
  expect([...PLACED_CODES].sort()).toEqual(Object.keys(ERROR_CATALOGUE).sort())
})

it.each([
  ['TEXT_EMPTY', 400],
  ['UNAUTHORIZED', 401],
  ['SESSION_NOT_FOUND', 404],
  ['SESSION_CLOSED', 409],
  ['BODY_TOO_LARGE', 413],
  ['HOST_NOT_ALLOWED', 421],
  ['RATE_LIMITED', 429],
  ['INTERNAL', 500],
  ['HOST_STARTING', 503],
  ['HOST_STOPPING', 503],
  ['DISK_FULL', 507],
] as const)('answers %s with %i', (code, status) => {
  expect(statusOf(code)).toBe(status)
})
