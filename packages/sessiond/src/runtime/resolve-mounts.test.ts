import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { MountRoot } from '../config/config.ts'
import { checkMountsUnmoved } from './check-mounts-unmoved.ts'
import { resolveMounts } from './resolve-mounts.ts'

let base: string

beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'mounts-')))
  await mkdir(join(base, 'allowed/project'), { recursive: true })
  await mkdir(join(base, 'allowed-not'), { recursive: true })
  await writeFile(join(base, 'secret'), 'secret')
})

afterEach(() => rm(base, { recursive: true, force: true }))

function roots(writable = false): MountRoot[] {
  return [{ path: join(base, 'allowed'), writable }]
}

function mount(source: string, target = '/data', writable = false) {
  return { source: join(base, source), target, writable }
}

describe('resolveMounts', () => {
  test('resolves a folder below a root, read-only unless asked otherwise', async () => {
    expect(await resolveMounts([mount('allowed/project')], roots(true))).toEqual([
      { source: join(base, 'allowed/project'), target: '/data', writable: false },
    ])
  })

  test('lets the root itself be mounted', async () => {
    expect(await resolveMounts([mount('allowed')], roots())).toHaveLength(1)
  })

  test.each([
    ['a sibling whose name begins alike', 'allowed-not'],
    ['the folder above', '.'],
    ['a way out by dots', 'allowed/../secret'],
    ['what does not exist', 'allowed/absent'],
  ])('refuses %s, naming mounts[0].source', async (_, source) => {
    await expect(
      resolveMounts([{ source: `${base}/${source}`, target: '/data', writable: false }], roots()),
    ).rejects.toMatchObject({
      code: 'MOUNT_REFUSED',
      fields: { field: 'mounts[0].source' },
    })
  })

  test('refuses a link below a root that leads out of it, and says where to', async () => {
    await symlink(join(base, 'secret'), join(base, 'allowed/link'))
    await expect(resolveMounts([mount('allowed/link')], roots())).rejects.toThrow(`leads to ${join(base, 'secret')}`)
  })

  test('follows a link that leads from outside to below a root, and a root that is a link', async () => {
    await symlink(join(base, 'allowed'), join(base, 'alias'))
    const resolved = await resolveMounts([mount('alias/project')], [{ path: join(base, 'alias'), writable: false }])
    expect(resolved[0]?.source).toBe(join(base, 'allowed/project'))
  })

  test('refuses everything when there are no roots, or only absent ones', async () => {
    await expect(resolveMounts([mount('allowed/project')], [])).rejects.toMatchObject({ code: 'MOUNT_REFUSED' })
    const absent = [{ path: join(base, 'nowhere'), writable: true }]
    await expect(resolveMounts([mount('allowed/project')], absent)).rejects.toMatchObject({ code: 'MOUNT_REFUSED' })
  })

  test.each([
    [true, true, 'grants'],
    [false, true, 'refuses'],
  ])('with a root writable=%s and a mount writable=%s: %s', async (rootWritable, mountWritable, outcome) => {
    const resolving = resolveMounts([mount('allowed/project', '/data', mountWritable)], roots(rootWritable))
    if (outcome === 'grants') expect((await resolving)[0]?.writable).toBe(true)
    else await expect(resolving).rejects.toMatchObject({ fields: { field: 'mounts[0].writable' } })
  })

  test('keeps a read-only root inside a writable one read-only', async () => {
    const nested: MountRoot[] = [...roots(true), { path: join(base, 'allowed/project'), writable: false }]
    await expect(resolveMounts([mount('allowed/project', '/data', true)], nested)).rejects.toMatchObject({
      fields: { field: 'mounts[0].writable' },
    })
  })

  test.each([
    '/',
    '//',
    '/proc',
    '/proc/1',
    '/sys/fs',
    '/dev',
    '/sessiond',
    '/workspace',
    '/tmp/',
    '/sessiond/in',
    '/x/../sessiond/out',
    'data',
    '',
  ])('refuses the target %j', async (target) => {
    await expect(resolveMounts([mount('allowed/project', target)], roots())).rejects.toMatchObject({
      code: 'MOUNT_REFUSED',
      fields: { field: 'mounts[0].target' },
    })
  })

  test('refuses two mounts on one target', async () => {
    const mounts = [mount('allowed/project', '/data'), mount('allowed', '/data/')]
    await expect(resolveMounts(mounts, roots())).rejects.toMatchObject({ fields: { field: 'mounts[1].target' } })
  })
})

describe('checkMountsUnmoved', () => {
  test('accepts a source that still is what it was resolved to', async () => {
    await checkMountsUnmoved(await resolveMounts([mount('allowed/project')], roots()))
  })

  test('refuses a source in whose place a link was put since', async () => {
    const resolved = await resolveMounts([mount('allowed/project')], roots())
    await rm(join(base, 'allowed/project'), { recursive: true })
    await symlink(join(base, 'secret'), join(base, 'allowed/project'))
    await expect(checkMountsUnmoved(resolved)).rejects.toMatchObject({ code: 'MOUNT_REFUSED' })
  })
})
