import { build, type Plugin } from 'vite'

/** One classic script of a source file and all that it imports. */
export async function bundle(entry: string, plugins: readonly Plugin[] = []): Promise<string> {
  const outputs = await build({
    configFile: false,
    logLevel: 'warn',
    plugins: [...plugins],
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, minify: false, lib: { entry, formats: ['iife'], name: 'entry' } },
  })
  for (const result of Array.isArray(outputs) ? outputs : [outputs])
    if ('output' in result) return result.output[0].code
  throw new Error(`Nothing was built of ${entry}.`)
}
