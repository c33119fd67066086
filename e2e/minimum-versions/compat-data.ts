/** The first version that has it; Infinity where none has. */
export type Versions = readonly [chromium: number, firefox: number, safari: number, samsung: number]

type Table = Readonly<Record<string, Versions>>

/** Chromium: the latest of Chrome, Edge, Chrome on Android and WebView. Firefox, Safari: of desktop and phone. */
export const BROWSERS = ['Chrome, Edge', 'Firefox', 'Safari', 'Samsung Internet'] as const

const NONE = Infinity

// From MDN's @mdn/browser-compat-data 8.1.9 (November 2026), which each page of MDN shows as "Browser compatibility":
// `Array.prototype.at()` is javascript.builtins.Array.at there, `navigator.locks` is api.Navigator.locks. A version that
// has it in part counts for none, except for class fields: Safari 14.1 to 15 has them, with a bug (webkit.org/b/236843).

/** Older than Chrome and Edge 80, Firefox 80, Safari 14.1 (iOS 14.5) and Samsung Internet 13. */
export const OLD: ReadonlySet<string> = new Set(
  `
AbortController AbortSignal AbortSignal.prototype Array Array.from Array.isArray ArrayBuffer ArrayBuffer.isView BigInt Blob Boolean CryptoKey CustomEvent
DOMException DataView Date Date.now Date.parse Error Event File FormData Headers IDBCursor IDBDatabase IDBIndex IDBKeyRange
IDBKeyRange.bound IDBKeyRange.lowerBound IDBKeyRange.only IDBKeyRange.upperBound IDBObjectStore IDBRequest IDBTransaction
Infinity Int32Array Int32Array.of JSON JSON.parse JSON.stringify HTMLElement Intl Intl.DateTimeFormat Intl.NumberFormat Map Math Math.abs Math.ceil Math.clz32 Math.floor Math.log2 Math.max Math.min
Math.random Math.round MediaRecorder MediaRecorder.isTypeSupported MessageChannel NaN Number
Number.MAX_SAFE_INTEGER Number.isFinite Number.isInteger Number.isSafeInteger Object Object.assign
Object.defineProperty Object.entries Object.freeze Object.fromEntries Object.getPrototypeOf Object.keys Object.values Promise Promise.all Promise.allSettled
Promise.race Promise.reject Promise.resolve Proxy RangeError ReadableStream Reflect Reflect.apply Reflect.deleteProperty Reflect.get Reflect.set RegExp Request Set String Symbol Symbol.asyncIterator SyntaxError String.fromCharCode TextDecoder
TextEncoder TypeError URL URL.createObjectURL URL.revokeObjectURL URLSearchParams Uint32Array Uint8Array Uint8Array.from Uint8Array.of WeakMap WeakSet
addEventListener atob btoa clearInterval clearTimeout clients console console.debug crypto crypto.getRandomValues crypto.subtle customElements customElements.define customElements.get document
document.activeElement document.addEventListener document.body document.createElement document.createElementNS document.readyState
document.hidden document.visibilityState fetch IDBCursor.prototype IDBDatabase.prototype IDBTransaction.prototype
indexedDB indexedDB.cmp indexedDB.deleteDatabase isNaN isSecureContext localStorage location location.href location.origin navigator navigator.mediaDevices
navigator.serviceWorker ServiceWorkerRegistration parseInt performance performance.now queueMicrotask registration removeEventListener requestAnimationFrame setInterval setTimeout
`
    .trim()
    .split(/\s+/),
)

/** Globals and what is asked of them by name. */
export const NAMES: Table = {
  'AbortSignal.any': [116, 124, 17.4, 24],
  'AbortSignal.timeout': [124, 100, 16, 27],
  'Array.fromAsync': [121, 115, 16.4, 25],
  BroadcastChannel: [79, 38, 15.4, 6],
  Notification: [NONE, 22, 16.4, 4],
  'Notification.permission': [NONE, 22, 16.4, 4],
  'Object.groupBy': [117, 119, 17.4, 24],
  'Object.hasOwn': [93, 92, 15.4, 17],
  'Promise.any': [85, 79, 14.5, 14],
  'Promise.withResolvers': [119, 121, 17.4, 25],
  'URL.canParse': [120, 115, 17, 25],
  'crypto.randomUUID': [92, 95, 15.4, 16],
  'indexedDB.open': [25, 22, 15, 1.5],
  'navigator.connection': [79, 31, NONE, 3],
  'navigator.locks': [79, 96, 15.4, 10],
  'navigator.permissions': [NONE, 46, 16, 4],
  'navigator.storage': [79, 57, 15.2, 6],
  serviceWorker: [79, NONE, 15.4, 12],
  structuredClone: [98, 94, 15.4, 18],
}

/**
 * Members of objects: all of JavaScript's own, and of the interfaces that the code has to do with, that are younger.
 * A name that an older interface has as well is left out, as nothing tells them apart: `Request.body`, `Array.with`.
 */
export const MEMBERS: Table = {
  'AbortSignal.prototype.reason': [98, 97, 15.4, 18],
  'AbortSignal.prototype.throwIfAborted()': [100, 97, 15.4, 19],
  'Array.prototype.at()': [92, 90, 15.4, 16],
  'Array.prototype.findLast()': [97, 104, 15.4, 18],
  'Array.prototype.findLastIndex()': [97, 104, 15.4, 18],
  'Array.prototype.toReversed()': [110, 115, 16, 21],
  'Array.prototype.toSorted()': [110, 115, 16, 21],
  'Array.prototype.toSpliced()': [110, 115, 16, 21],
  'ArrayBuffer.prototype.detached': [114, 122, 17.4, 23],
  'ArrayBuffer.prototype.maxByteLength': [111, 128, 16.4, 22],
  'ArrayBuffer.prototype.resizable': [111, 128, 16.4, 22],
  'ArrayBuffer.prototype.resize()': [111, 128, 16.4, 22],
  'ArrayBuffer.prototype.transfer()': [114, 122, 17.4, 23],
  'ArrayBuffer.prototype.transferToFixedLength()': [114, 122, 17.4, 23],
  'Blob.prototype.bytes()': [144, 128, 18, NONE],
  'Blob.prototype.textStream()': [151, NONE, NONE, NONE],
  'DataView.prototype.getBigInt64()': [79, 68, 15, 9],
  'DataView.prototype.getBigUint64()': [79, 68, 15, 9],
  'DataView.prototype.getFloat16()': [135, 129, 18.2, 29],
  'DataView.prototype.setBigInt64()': [79, 68, 15, 9],
  'DataView.prototype.setBigUint64()': [79, 68, 15, 9],
  'DataView.prototype.setFloat16()': [135, 129, 18.2, 29],
  'Date.prototype.toTemporalInstant()': [144, 139, 27.3, NONE],
  'Headers.prototype.getSetCookie()': [113, 112, 17, 23],
  'IDBFactory.prototype.databases()': [79, 126, 14, 11],
  'IDBIndex.prototype.getAllRecords()': [141, 153, 27.3, 30],
  'IDBObjectStore.prototype.getAllRecords()': [141, 153, 27.3, 30],
  'IDBTransaction.prototype.commit()': [79, 79, 15, 12],
  'IDBTransaction.prototype.durability': [83, 126, 15, 13],
  'Map.prototype.getOrInsert()': [145, 144, 26.2, NONE],
  'Map.prototype.getOrInsertComputed()': [145, 144, 26.2, NONE],
  'Performance.prototype.timeOrigin': [62, 53, 15, 8],
  'ReadableStream.prototype.pipeThrough()': [79, 102, 10.3, 7],
  'ReadableStream.prototype.pipeTo()': [79, 100, 10.3, 7],
  'RegExp.prototype.hasIndices': [90, 88, 15, 15],
  'RegExp.prototype.unicodeSets': [112, 116, 17, 23],
  'Request.prototype.bytes()': [132, 128, 18, 29],
  'Request.prototype.duplex': [131, NONE, 27.3, 29],
  'Request.prototype.keepalive': [66, 133, 13, 9],
  'Request.prototype.textStream()': [151, NONE, NONE, NONE],
  'Response.prototype.bytes()': [132, 128, 18, 29],
  'Response.prototype.textStream()': [151, NONE, NONE, NONE],
  'ServiceWorkerRegistration.prototype.cookies': [87, 140, NONE, 14],
  'ServiceWorkerRegistration.prototype.getNotifications()': [NONE, 44, 16.4, 4],
  'ServiceWorkerRegistration.prototype.navigationPreload': [59, 99, 15.4, 4],
  'ServiceWorkerRegistration.prototype.pushManager': [NONE, 48, 16.4, 4],
  'ServiceWorkerRegistration.prototype.showNotification()': [NONE, 44, 16.4, 4],
  'Set.prototype.difference()': [122, 127, 17, 26],
  'Set.prototype.intersection()': [122, 127, 17, 26],
  'Set.prototype.isDisjointFrom()': [122, 127, 17, 26],
  'Set.prototype.isSubsetOf()': [122, 127, 17, 26],
  'Set.prototype.isSupersetOf()': [122, 127, 17, 26],
  'Set.prototype.symmetricDifference()': [122, 127, 17, 26],
  'Set.prototype.union()': [122, 127, 17, 26],
  'String.prototype.at()': [92, 90, 15.4, 16],
  'String.prototype.isWellFormed()': [111, 119, 16.4, 22],
  'String.prototype.replaceAll()': [85, 79, 13.4, 14],
  'String.prototype.toWellFormed()': [111, 119, 16.4, 22],
  'TypedArray.prototype.at()': [92, 90, 15.4, 16],
  'TypedArray.prototype.findLast()': [97, 104, 15.4, 18],
  'TypedArray.prototype.findLastIndex()': [97, 104, 15.4, 18],
  'TypedArray.prototype.toReversed()': [110, 115, 16, 21],
  'TypedArray.prototype.toSorted()': [110, 115, 16, 21],
  'TypedArray.prototype.with()': [110, 115, 16, 21],
  'Uint8Array.prototype.setFromBase64()': [140, 133, 18.2, 30],
  'Uint8Array.prototype.setFromHex()': [140, 133, 18.2, 30],
  'Uint8Array.prototype.toBase64()': [140, 133, 18.2, 30],
  'Uint8Array.prototype.toHex()': [140, 133, 18.2, 30],
  'WeakMap.prototype.getOrInsert()': [145, 144, 26.2, NONE],
  'WeakMap.prototype.getOrInsertComputed()': [145, 144, 26.2, NONE],
  'WindowClient.prototype.navigate()': [49, 50, 16, 4],
  'Iterator.chunks': [NONE, 154, 27.3, NONE],
  'Iterator.drop': [122, 131, 18.4, 26],
  'Iterator.every': [122, 131, 18.4, 26],
  'Iterator.filter': [122, 131, 18.4, 26],
  'Iterator.find': [122, 131, 18.4, 26],
  'Iterator.flatMap': [122, 131, 18.4, 26],
  'Iterator.forEach': [122, 131, 18.4, 26],
  'Iterator.includes': [154, 154, 27.3, NONE],
  'Iterator.join': [153, 154, 27.3, NONE],
  'Iterator.map': [122, 131, 18.4, 26],
  'Iterator.reduce': [122, 131, 18.4, 26],
  'Iterator.some': [122, 131, 18.4, 26],
  'Iterator.take': [122, 131, 18.4, 26],
  'Iterator.toArray': [122, 131, 18.4, 26],
  'Iterator.windows': [NONE, 154, 27.3, NONE],
}

/** Syntax younger than ES2019, and options. */
export const SYNTAX: Table = {
  'option abort(reason)': [98, 97, 15.4, 18],
  'option addEventListener(…, { signal })': [90, 86, 15, 15],
  'option module worker': [91, 147, 15, 16],
  'syntax #field': [79, 90, 14.5, 11],
  'syntax #field in a': [91, 90, 15, 16],
  'syntax #method()': [84, 90, 15, 14],
  'syntax (?<=a)': [79, 79, 16.4, 8],
  'syntax (?i:a)': [125, 132, 26, 27],
  'syntax /a/d': [90, 88, 15, 15],
  'syntax /a/v': [112, 116, 17, 23],
  'syntax 1_000': [79, 79, 13, 11],
  'syntax 1n': [79, 68, 14, 9],
  'syntax a ?? b': [80, 79, 13.4, 13],
  'syntax a ??= b': [85, 79, 14, 14],
  'syntax a?.b': [80, 79, 13.4, 13],
  'syntax class field': [79, 79, 14.5, 11],
  'syntax import()': [79, 67, 11.3, 8],
  'syntax static field': [79, 79, 14.5, 11],
  'syntax static {}': [94, 93, 16.4, 17],
  'syntax top-level await': [89, 89, 27, 15],
}
