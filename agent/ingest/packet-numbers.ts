import { writeToStream } from 'mqtt-packet';

/**
 * aedes and mqtt write their packets with a library that makes and keeps a buffer for each of the 65,536 numbers a packet
 * may have: 7 MB. PUBACKs, nearly all that is written here, do not go through it.
 */
export function writeNumbersAsNeeded(): void {
  writeToStream.cacheNumbers = false;
}
