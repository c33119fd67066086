import { createServer } from 'node:http'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import { listen } from '../backend/ports.ts'

// A real `@tus/server` as it comes, in a process of its own: told anything, it sets what the guide says to set.

// In Node 20 a reader that leaves, as a browser does whose read CORS blocks, is thrown where nobody can catch it.
process.on('uncaughtException', (error) => console.error(error.message))

const server = new Server({
  path: '/files',
  datastore: new FileStore({ directory: process.argv[2] ?? '' }),
})
let readable = false
process.on('message', () => {
  readable = true
  process.send?.('readable')
})
const http = createServer((request, response) => {
  if (readable) response.setHeader('Access-Control-Allow-Origin', '*')
  void server.handle(request, response)
})
const port = await listen(http, { port: 0, wantedBy: 'the stock server', option: '' })
process.send?.(`http://127.0.0.1:${port}/files`)
