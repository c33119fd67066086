import { openCamera, type Source } from '../elements/camera.ts'
import { openDialog } from './dialog.ts'
import { byId, setText } from './dom.ts'
import { openTestPicture } from './test-picture.ts'
import { texts } from './texts.ts'

/** The camera or, where there is none and the person says so, a test picture. */
export async function openSource(forceTestPicture: boolean): Promise<Source | undefined> {
  if (forceTestPicture) return testPicture(texts.testPicture.wanted)
  for (;;) {
    const opened = await openCamera()
    if (typeof opened !== 'string') return opened
    setText(byId('no-camera-why', HTMLElement), opened)
    const answer = await openDialog(byId('no-camera', HTMLDialogElement))
    if (answer !== 'again') return answer === 'test' ? testPicture(texts.testPicture.note) : undefined
  }
}

/** A moving picture that says in each frame that it is no evidence. */
const testPicture = (note: string): Source => ({
  badge: texts.testPicture.badge,
  note,
  ...openTestPicture(),
})
