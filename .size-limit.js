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
]
