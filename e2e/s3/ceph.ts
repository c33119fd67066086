import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../backend/ports.ts'
import { run, startDaemon, type Daemon } from './daemon.ts'
import { presign, type Account } from './presign.ts'

/** What a cluster is made of; Debian has it in `radosgw`, `ceph-mon` and `ceph-osd`. */
export const CEPH = ['ceph', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw', 'radosgw-admin']

/** A store that speaks S3. */
export interface S3 {
  readonly port: number
  readonly account: Account
  /** The bucket that is there from the start. */
  readonly bucket: string
  stop(): Promise<void>
}

/** The gateway asks for both, whatever is set for all. */
const OPEN = ['--auth-client-required=none', '--ms-mon-client-mode=crc']

/** Ceph's S3 gateway, over a cluster of one node that keeps its objects in memory. */
export async function startCeph(): Promise<S3> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-ceph-'))
  for (const part of ['mon', 'osd', 'rgw']) await mkdir(join(folder, part))
  const use = { port: 0, wantedBy: 'the object store', option: '' }
  const [monitor, port] = [await freePort(use), await freePort(use)]
  const [cluster, disk] = [randomUUID(), randomUUID()]
  const at = `v2:127.0.0.1:${monitor}`
  const conf = join(folder, 'ceph.conf')
  await writeFile(
    conf,
    `[global]
fsid = ${cluster}
mon host = ${at}/0
run dir = ${folder}
log file = ${folder}/$name.log
admin socket =
pid file =
auth cluster required = none
auth service required = none
auth client required = none
mon allow pool size one = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
mon data = ${folder}/mon
osd data = ${folder}/osd
rgw data = ${folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:${port}
`,
  )
  const daemons: Daemon[] = []
  const stop = async () => {
    for (const daemon of daemons.reverse()) await daemon.kill()
    await rm(folder, { recursive: true, force: true })
  }
  const config = ['-c', conf]
  const ask = async (...words: readonly string[]) =>
    run('ceph', ...config, '--connect-timeout', '5', ...words)
  const start = async (name: string, args: readonly string[], isUp: () => Promise<unknown>) =>
    daemons.push(await startDaemon(name, [...config, ...args, '-f'], isUp))

  try {
    const map = join(folder, 'monmap')
    run('monmaptool', '--create', '--fsid', cluster, '--addv', 'a', `[${at}]`, map)
    run('ceph-mon', ...config, '--mkfs', '-i', 'a', '--monmap', map)
    await start('ceph-mon', ['-i', 'a'], () => ask('mon', 'stat'))
    const id = (await ask('osd', 'new', disk)).trim()
    run('ceph-osd', ...config, '-i', id, '--mkfs', '--osd-uuid', disk)
    await start('ceph-osd', ['-i', id], async () => {
      if (!(await ask('osd', 'stat')).includes('1 up')) throw new Error('Not yet')
    })
    const origin = `http://127.0.0.1:${port}`
    await start('radosgw', ['-n', 'client.rgw', ...OPEN], () => fetch(origin))

    const account = { keyId: 'recorder', secret: 'a-secret-of-this-test' }
    const keys = ['--access-key', account.keyId, '--secret-key', account.secret]
    const user = ['--uid', 'recorder', '--display-name', 'recorder']
    run('radosgw-admin', ...config, ...OPEN, 'user', 'create', ...user, ...keys)
    const bucket = 'recordings'
    const { url } = presign(account, { method: 'PUT', url: `${origin}/${bucket}` })
    const created = await fetch(url, { method: 'PUT' })
    if (!created.ok) throw new Error(`No bucket: ${await created.text()}`)
    return { port, account, bucket, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
