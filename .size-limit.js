/** As an app's bundler would: minified for production, everything that is imported included. */
const modifyEsbuildConfig = (config) => ({
  ...config,
  define: { ...config.define, 'process.env.NODE_ENV': '"production"' },
})

/** What a bundler makes a file of its own, because it is loaded when it is first asked for. */
const LOADED_LATER = ['./capabilities.js', './app-data.js', '../app-data.js', './x25519-library.js']

export default [
  {
    name: 'page entry, without what is loaded later',
    path: 'dist/src/index.js',
    limit: '7.3 kB',
    gzip: true,
    modifyEsbuildConfig: (config) => ({
      ...modifyEsbuildConfig(config),
      format: 'esm',
      external: LOADED_LATER,
    }),
  },
  {
    name: 'page entry and upload of files, without what is loaded later',
    path: ['dist/src/index.js', 'dist/src/upload/upload.js'],
    import: { 'dist/src/index.js': '{ connect }', 'dist/src/upload/upload.js': '{ upload }' },
    limit: '9.3 kB',
    gzip: true,
    modifyEsbuildConfig: (config) => ({
      ...modifyEsbuildConfig(config),
      format: 'esm',
      external: LOADED_LATER,
    }),
  },
  {
    name: 'elements: recorder, status and recovery, with their texts and styles, and the recorder of holdfast/capture, without what is loaded later',
    path: 'dist/src/elements/index.js',
    limit: '20.9 kB',
    gzip: true,
    modifyEsbuildConfig: (config) => ({
      ...modifyEsbuildConfig(config),
      format: 'esm',
      external: LOADED_LATER,
    }),
  },
  {
    name: 'the status element alone',
    path: 'dist/src/elements/index.js',
    import: '{ HoldfastStatus }',
    limit: '9.6 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'room on the device, and the second place that notices a loss, alone',
    path: 'dist/src/storage/index.js',
    limit: '2.5 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'capability report, loaded when it is first asked for',
    path: 'dist/src/capabilities.js',
    limit: '2 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'X25519 for browsers that have none, loaded by them',
    path: 'dist/src/evidence/x25519-library.js',
    limit: '11 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'worker entry, with the IPFS transport and the EVM anchor',
    path: 'dist/sw/index.js',
    // Meant to be 22 kB: see docs/decisions/0013-options-are-entries.md.
    limit: '28.7 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'worker with presigned PUT and without an anchor',
    path: ['dist/sw/index.js', 'dist/sw/adapters/transports/put.js'],
    import: { 'dist/sw/index.js': '{ install }', 'dist/sw/adapters/transports/put.js': '{ presignedPut }' },
    // Meant to be 20 kB.
    limit: '26.9 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'tus transport, alone',
    path: 'dist/sw/adapters/transports/tus.js',
    limit: '4.4 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'resumable upload transport, alone',
    path: 'dist/sw/adapters/transports/resumable.js',
    limit: '3.7 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'presigned PUT transport, alone',
    path: 'dist/sw/adapters/transports/put.js',
    limit: '3.4 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'Pinata transport, alone',
    path: 'dist/sw/adapters/transports/pinata.js',
    limit: '3.2 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'copies in several stores, alone',
    path: 'dist/sw/adapters/transports/copies.js',
    limit: '3.4 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'several nodes of the chain, with the look that any anchor brings along',
    path: 'dist/sw/adapters/anchors/nodes.js',
    limit: '13.3 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'heads by an account of the app’s own, alone',
    path: 'dist/sw/adapters/anchors/account.js',
    limit: '1.5 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
]
