/** The services behind the one port. */
export type ServiceName = 'ipfs' | 'gateway' | 'chain' | 'relay' | 'tus' | 'put' | 'pinata' | 'resumable'
