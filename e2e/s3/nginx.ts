import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../backend/ports.ts'
import { startDaemon } from './daemon.ts'

export const NGINX = ['nginx']

export interface ProxyOptions {
  /** Port of the store on 127.0.0.1. */
  readonly to: number
  /** Port of its own; default: one that is free. */
  readonly port?: number
  /** Whether bodies and answers are taken whole before they are passed on. */
  readonly buffering: boolean
  /** Largest body that it lets through; default: any. */
  readonly mostBytes?: number
}

export interface Proxy {
  readonly port: number
  /** SIGKILL. */
  kill(): Promise<void>
}

/** nginx between a client and a store, as one process. */
export async function startNginx({ to, port, buffering, mostBytes = 0 }: ProxyOptions): Promise<Proxy> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-nginx-'))
  const own = port ?? (await freePort({ port: 0, wantedBy: 'the proxy', option: '' }))
  const onOff = buffering ? 'on' : 'off'
  const conf = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  await writeFile(
    conf,
    `daemon off;
master_process off;
pid ${folder}/pid;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${own};
    client_max_body_size ${mostBytes};
    location / {
      proxy_pass http://127.0.0.1:${to};
      # The grant signs the name that the client uses.
      proxy_set_header Host $http_host;
      proxy_http_version 1.1;
      proxy_request_buffering ${onOff};
      proxy_buffering ${onOff};
    }
  }
}
`,
  )
  const args = ['-p', folder, '-c', conf, '-e', 'stderr']
  const daemon = await startDaemon('nginx', args, () => fetch(`http://127.0.0.1:${own}`))
  return {
    port: own,
    async kill() {
      await daemon.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
