import { join } from 'node:path'
import { registryArtifact } from './backend/registry-artifact.ts'
import { ARTIFACTS } from './backend/sandbox.ts'
import { buildScripts, BUILT } from './built-scripts.ts'
import { buildDemo } from './demo-site.ts'

/** Builds once what every test process would otherwise build for itself. */
export default async function build(): Promise<void> {
  await buildDemo(join(BUILT, 'demo'))
  await buildScripts()
  await registryArtifact(ARTIFACTS)
}
