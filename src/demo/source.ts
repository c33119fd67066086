import { openCamera, type Source } from '../elements/camera.ts'
import { openDialog } from './dialog.ts'
import { byId, setText } from './dom.ts'
import { openTestPicture } from './test-picture.ts'
import { texts } from './texts.ts'

/**
 * The camera or, where there is none and the person says so, a test picture.
 *
 * @param isAgain a recording that was cut off is to go on: with a camera, or not at all, and at once
 * @returns in words why there is none, for a recording that is to go on; undefined where the person wants none
 */
export async function openSource(
  forceTestPicture: boolean,
  isAgain = false,
): Promise<Source | string | undefined> {
  if (forceTestPicture) return testPicture(texts.testPicture.wanted)
  if (isAgain) return openCamera()
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
  isTestPicture: true,
  badge: texts.testPicture.badge,
  note,
  ...openTestPicture(),
})
