import type { ErrorCode } from './errors.ts'
import type { VerificationCode } from './verification-code.ts'

const WRONG_CHAIN = 'Check that the chain and the registry are those that the recording was anchored on.'
const NOTHING_SAID = 'Check the network and try again: this says nothing about the recording.'
const NOT_THERE = 'Try again later or with another gateway: the store does not have it now.'
const OTHER_KEY = 'Try again with the key of a group that the recording was made for.'
const TAMPERED = 'Do not rely on what was served: it is not what was anchored. Try another gateway.'
const OTHER_NODE = 'Do not rely on this node: it does not tell all that the registry took. Ask another.'
const RECORDED_WRONG =
  'Do not rely on this recording: whoever has its key signed what breaks the format or contradicts itself.'

const ADVICE: Readonly<Record<ErrorCode | VerificationCode, string>> = {
  'bad-message': 'Send a message that this protocol version defines.',
  'unknown-session': 'Start the session before adding chunks to it.',
  'session-exists': 'Start a session under a new id.',
  'session-ended': 'Start a new session for further recording.',
  'index-taken': 'Give the chunk an index of its own; the stored bytes stay.',
  'chunk-too-large': 'Cut the recording into chunks of at most 64 MiB.',
  'hash-mismatch': 'Hand the chunk over again.',
  'not-confirmed': "Pass confirm: 'discard-unconfirmed' to lose unconfirmed evidence.",
  'bad-input': 'Correct the argument that the message names.',
  'no-service-worker':
    "Serve the page over https (or localhost) to a browser with service workers, cookies allowed. Firefox before 147 runs no module as one: pass type: 'classic' and a bundle.",
  'unsupported-browser':
    'Update the browser: Chrome or Edge 100, Firefox 97, Safari 15.4, Samsung Internet 19 or newer.',
  'worker-timeout':
    'Try again. Where it never answers, see that the active worker calls install() at its top level.',
  'protocol-mismatch': 'Reload the page so that page and worker are of one version.',
  'storage-full': 'Free space on the device; the page keeps the chunk and tries again.',
  'storage-failed':
    'Try again. Where the text begins with VersionError, reload the page: its worker is too old.',
  'recorder-failed': 'Check camera and microphone, then record again; what was recorded is kept.',
  'payload-unreadable':
    'Keep the device: the stored bytes of this chunk cannot be read. Where an upload rejects with it: pick the file again.',
  'payload-corrupt': 'Keep the device: the stored bytes no longer match their hash.',
  unreachable: 'Wait for a network; this costs no attempt.',
  timeout: 'Wait; the server took too long.',
  'server-error': 'Wait; the server failed.',
  throttled: 'Wait as long as the server asked.',
  'sign-in-needed':
    'Sign in again; uploads then go on by themselves, or at once when you resume the session.',
  'address-mismatch': 'Check the store: it answered with another content address than ours.',
  'bad-answer': 'Check the store: its answer could not be understood.',
  'rejected-by-store': 'Check why the store refuses this upload, then resume the session.',
  'copies-missing': 'Wait, or check the stores that the message names.',
  'other-destination':
    'Bring back the worker for the place that the message names, or have the session adopted by this one.',
  'completion-failed': 'Check what the onSettled of the app waits for; it is called again by itself.',
  'anchor-unseen':
    'Check that the relay has funds and signs for this chain; it is handed the anchor again by itself.',
  'anchor-rejected': 'Check why the registry refuses this anchor, then resume the session.',
  forked:
    'Keep the device: somebody else signs with the key of this recording. What was anchored before stands; its bytes stay here.',
  'wrong-chain':
    'Check what the worker is set up with: rpcUrl, chainId, registry and relayUrl must be of one chain.',
  'nodes-disagree': 'Wait, or check the nodes that the message names.',
  aborted: 'Nothing: the run ended before the work did.',
  defect: 'Report this with its cause; nothing was deleted.',

  'chain-unreachable': NOTHING_SAID,
  'chain-answer': WRONG_CHAIN,
  'not-registered': WRONG_CHAIN,
  'heads-withheld': OTHER_NODE,
  'head-signature': OTHER_NODE,
  'gateway-unreachable': NOTHING_SAID,
  'page-missing': NOT_THERE,
  'page-address': TAMPERED,
  'page-malformed': RECORDED_WRONG,
  'first-page': NOT_THERE,
  root: RECORDED_WRONG,
  groups: RECORDED_WRONG,
  group: OTHER_KEY,
  key: OTHER_KEY,
  'chunk-missing': NOT_THERE,
  'chunk-address': TAMPERED,
  'chunk-size': RECORDED_WRONG,
  'chunk-encrypted-hash': RECORDED_WRONG,
  'chunk-decrypt': RECORDED_WRONG,
  'chunk-plaintext-hash': RECORDED_WRONG,
}

/**
 * What whoever meets this error can do next, in a sentence or two. Apart from the codes, so that the worker does not
 * carry it. A code that only another version of the library knows is answered with what to do about a `defect`.
 */
export const adviceFor = (code: ErrorCode | VerificationCode): string => ADVICE[code] ?? ADVICE.defect
