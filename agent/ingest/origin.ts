/** What is known of a connection before its CONNECT. */
export interface Origin {
  readonly address: string;
  /** From this machine, on a listener that only this machine reaches. */
  readonly local: boolean;
  /** The name in the certificate that the client has shown and an authority has signed. */
  readonly certificateUser: string | undefined;
}

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;
export const isLoopback = (address: string): boolean => LOOPBACK.test(address);
