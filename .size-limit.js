/** As an app's bundler would: minified for production, everything that is imported included. */
const modifyEsbuildConfig = (config) => ({
  ...config,
  define: { ...config.define, 'process.env.NODE_ENV': '"production"' },
})

export default [
  { name: 'page entry', path: 'dist/src/index.js', limit: '6 kB', gzip: true, modifyEsbuildConfig },
  {
    name: 'worker entry, with the IPFS transport and the EVM anchor',
    path: 'dist/sw/index.js',
    limit: '18 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'tus transport, alone',
    path: 'dist/sw/transports/tus.js',
    limit: '4 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'presigned PUT transport, alone',
    path: 'dist/sw/transports/put.js',
    limit: '3.5 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'Pinata transport, alone',
    path: 'dist/sw/transports/pinata.js',
    limit: '3.5 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
  {
    name: 'copies in several stores, alone',
    path: 'dist/sw/transports/copies.js',
    limit: '2.2 kB',
    gzip: true,
    modifyEsbuildConfig,
  },
]
