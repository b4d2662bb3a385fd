import { describe, expect, it } from 'vitest'
import { isAllowedHost } from './host-header.ts'

const rule = { port: 7070, listenHost: '127.0.0.1', allowedHosts: ['ops.example', 'box.example:8443'] }

describe('isAllowedHost', () => {
  it.each([
    'localhost:7070',
    'LOCALHOST:7070',
    '127.0.0.1:7070',
    '127.8.9.1:7070',
    '[::1]:7070',
    'ops.example',
    'ops.example:1',
    'box.example:8443',
  ])('takes %s', (header) => expect(isAllowedHost(header, rule)).toBe(true))

  it.each([
    ['the right name with another port', 'localhost:7071'],
    ['the right name without a port', 'localhost'],
    ['a rebound name', 'attacker.example:7070'],
    ['a name that begins like a loopback address', '127.0.0.1.attacker.example:7070'],
    ['a name that ends like an allowed one', 'evil-ops.example:7070'],
    ['a subdomain of localhost', 'x.localhost:7070'],
    ['an allowed name with another port', 'box.example:7070'],
    ['the wildcard address', '0.0.0.0:7070'],
    ['user information', 'localhost:7070@attacker.example'],
    ['two hosts', 'localhost:7070, attacker.example'],
    ['a port that is none', 'localhost:70700000'],
    ['nothing', ''],
  ])('refuses %s', (_name, header) => expect(isAllowedHost(header, rule)).toBe(false))

  it.each([
    ['192.168.1.5', '192.168.1.5:7070', true],
    ['fd00::5', '[fd00::5]:7070', true],
    ['192.168.1.5', '192.168.1.6:7070', false],
    ['0.0.0.0', '0.0.0.0:7070', false],
    ['::', '[::]:7070', false],
  ])('listening on %s, answers %s with %s', (listenHost, header, isAllowed) => {
    expect(isAllowedHost(header, { ...rule, listenHost })).toBe(isAllowed)
  })

  it('takes port 80 as the one a header leaves out', () => {
    expect(isAllowedHost('localhost', { ...rule, port: 80 })).toBe(true)
  })
})
