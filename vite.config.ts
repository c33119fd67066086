import { join, resolve } from 'node:path'
import { defineConfig, type Plugin } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'
import { texts } from './src/demo/texts.ts'
import { withTexts } from './src/demo/texts-in-html.ts'
import { ofPage } from './src/elements/styles.ts'

const root = resolve(import.meta.dirname, 'src/demo')
const outDir = resolve(import.meta.dirname, process.env['HOLDFAST_OUT_DIR'] ?? 'dist/demo')

/** The local backend that `npm start` brings up. */
const LOCAL_ENDPOINTS = {
  ipfs: 'http://127.0.0.1:8741',
  gateway: 'http://127.0.0.1:8741',
  rpcUrl: 'http://127.0.0.1:8741/chain',
  relayUrl: 'http://127.0.0.1:8741/relay',
  registry: '0x700b6A60ce7EaaEA56F065753d8dcB9653dbAD35',
  chainId: 31337,
  pollMs: 1000,
}

/**
 * Endpoints are part of the code, in page and worker alike, so that no page can redirect evidence. Under `when-served`
 * the name stays in the build, for a server that puts them in (`e2e/demo-site.ts`).
 */
const endpoints = process.env['HOLDFAST_ENDPOINTS'] ?? JSON.stringify(LOCAL_ENDPOINTS)

/** While developing, Vite defines constants in pages only; this writes them into the worker. */
const endpointsInDevWorker: Plugin = {
  name: 'endpoints-in-dev-worker',
  apply: 'serve',
  transform: {
    filter: { id: /\/sw\/demo\.ts$/ },
    handler: (code) => code.replaceAll('__HOLDFAST_ENDPOINTS__', endpoints),
  },
}

/** What pages say is in one place, typed, with all other texts. */
const textsInPages: Plugin = {
  name: 'texts-in-pages',
  transformIndexHtml: { order: 'pre', handler: (html) => withTexts(html, texts) },
}

/** Elements and page have colours and controls in common, from one source. */
const stylesOfElements: Plugin = {
  name: 'styles-of-elements',
  enforce: 'pre',
  transform: {
    filter: { id: /\/src\/demo\/styles\.css$/ },
    handler: (css) => ofPage() + css,
  },
}

export default defineConfig({
  root,
  define: endpoints === 'when-served' ? {} : { __HOLDFAST_ENDPOINTS__: endpoints },
  build: {
    outDir,
    emptyOutDir: true,
    // Whoever records, and whoever waits for the recording.
    rollupOptions: { input: [join(root, 'index.html'), join(root, 'read.html')] },
  },
  // Named here because Vite looks for dependencies from the page only, and would reload it for the worker's.
  optimizeDeps: { include: ['workbox-background-sync', 'workbox-precaching'] },
  plugins: [
    textsInPages,
    stylesOfElements,
    endpointsInDevWorker,
    VitePWA({
      strategies: 'injectManifest',
      srcDir: resolve(import.meta.dirname, 'sw'),
      filename: 'demo.ts',
      registerType: 'prompt',
      injectRegister: false,
      manifest: {
        name: 'Holdfast',
        short_name: 'Holdfast',
        description: texts.page.description,
        display: 'standalone',
        background_color: '#f3f6f5',
        theme_color: '#0c6a52',
        icons: [
          { src: '/icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
          { src: '/icon-192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
          { src: '/icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
          { src: '/icon-maskable-192.png', sizes: '192x192', type: 'image/png', purpose: 'maskable' },
          { src: '/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
      // One classic script: the form that every browser with service workers can run. The plugin would name it
      // after its source, demo.js; `/sw.js` says what it is.
      injectManifest: {
        rollupFormat: 'iife',
        swDest: join(outDir, 'sw.js'),
        globPatterns: ['**/*.{html,js,css}'],
      },
      integration: {
        configureCustomSWViteBuild(worker) {
          worker.logLevel = 'warn'
          const rollup = worker.build?.rollupOptions
          if (rollup) rollup.output = { entryFileNames: 'sw.js' }
        },
      },
      devOptions: { enabled: true, type: 'module' },
    }),
  ],
})
