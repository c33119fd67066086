// Codes of what a block holds (github.com/multiformats/multicodec). Bundlers write the numbers of a file without imports
// where they are used.

export const RAW = 0x55
export const DAG_PB = 0x70
