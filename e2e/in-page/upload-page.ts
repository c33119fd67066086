import { connect } from '../../src/index.ts'
import { upload, type FileProgress } from '../../src/upload/upload.ts'
import { contentOf } from './file-content.ts'

/** What the tests ask of a page that uploads files. */
export interface UploadPage {
  /**
   * Uploads a file of this content: a byte's value is made of its place and of `seed`. Resolves once all of it is durable
   * in the worker.
   */
  uploadFile(file: { sizeBytes: number; seed: number; partBytes: number; group: string }): Promise<void>
  progress(): FileProgress | undefined
}

declare global {
  interface Window {
    uploadPage: UploadPage
  }
}

let told: FileProgress | undefined
window.uploadPage = {
  progress: () => told,
  async uploadFile({ sizeBytes, seed, partBytes, group }) {
    const holdfast = await connect({ scriptUrl: '/sw.js', type: 'classic' })
    const content = contentOf(sizeBytes, seed)
    const file = new File([content], 'holiday.mp4', { type: 'video/mp4', lastModified: 1 })
    const metadata = { title: 'The holiday' }
    const asked = { groups: [{ publicKey: group }], partBytes, metadata, labels: { tenant: 'a7' } }
    await upload(holdfast, file, { ...asked, onProgress: (now) => (told = now) }).handedOver
  },
}
