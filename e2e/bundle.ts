import { build, type Plugin } from 'vite'

/** One classic script of a source file and all that it imports. */
export async function bundle(
  entry: string,
  plugins: readonly Plugin[] = [],
  minify = false,
): Promise<string> {
  const outputs = await build({
    configFile: false,
    logLevel: 'warn',
    plugins: [...plugins],
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, minify, lib: { entry, formats: ['iife'], name: 'entry' } },
  })
  for (const result of Array.isArray(outputs) ? outputs : [outputs])
    if ('output' in result) return result.output[0].code
  throw new Error(`Nothing was built of ${entry}.`)
}

/** The same, as an app ships it: a worker that starts reads and compiles its script first. */
export const shipped = (entry: string) => bundle(entry, [], true)
