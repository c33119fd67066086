import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium } from '@playwright/test'
import { repositoryRoot } from './backend/repository-root.ts'
import { findChromium } from './driver/find-chromium.ts'

/**
 * Draws the app's icons from `src/demo/public/icon.svg`: `npx tsc -b && node dist/e2e/make-icons.js`. A maskable one is
 * full to its edges, with the drawing in the middle, since each phone cuts a shape of its own out of it
 * (www.w3.org/TR/appmanifest/#icon-masks).
 */
const folder = join(repositoryRoot(), 'src/demo/public')
const svg = await readFile(join(folder, 'icon.svg'), 'utf8')
/** Of the width, so that all of the drawing lies in the circle that is never cut. */
const SAFE = 0.8

const browser = await chromium.launch({ executablePath: findChromium() })
const page = await browser.newPage()

async function draw(name: string, size: number, maskable: boolean): Promise<void> {
  const content = maskable
    ? svg
        .replace('rx="15"', '')
        .replace(/<g /, `<g transform="translate(${32 * (1 - SAFE)} ${32 * (1 - SAFE)}) scale(${SAFE})" `)
    : svg
  await page.setViewportSize({ width: size, height: size })
  await page.setContent(`<style>*{margin:0}svg{display:block;width:${size}px}</style>${content}`)
  await writeFile(join(folder, name), await page.screenshot({ omitBackground: true }))
}

for (const size of [192, 512]) {
  await draw(`icon-${size}.png`, size, false)
  await draw(`icon-maskable-${size}.png`, size, true)
}
await browser.close()
