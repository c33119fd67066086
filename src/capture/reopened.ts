/**
 * Another stream, which is closed with the recording; undefined, or a rejection, where there is none.
 *
 * @param finished settles when the recording is over
 */
export async function reopened(
  open: () => Promise<MediaStream>,
  finished: Promise<void>,
): Promise<MediaStream | undefined> {
  // An app’s may give nothing, whatever it promises.
  const another: MediaStream | undefined = await open()
  const close = () => another?.getTracks().forEach((track) => track.stop())
  void finished.then(close, close)
  return another
}
