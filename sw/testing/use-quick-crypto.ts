import { useQuickCrypto } from './quick-crypto.ts'

// For a process of tests that ask nothing of the platform's own crypto.
useQuickCrypto()
