import { parser, writeToStream } from 'mqtt-packet';
import { ArrivingBytes } from './arriving-bytes.js';

/** What a parser has beyond its types. */
interface Inside {
  _list: unknown;
  _resetState(): void;
}

let isLean = false;

/** aedes and mqtt read and write their packets with one library; from here on it does so with less. */
export function makePacketsLean(): void {
  // It makes and keeps a buffer for each of the 65,536 numbers a packet may have: 7 MB. PUBACKs, nearly all that is
  // written here, do not go through it.
  writeToStream.cacheNumbers = false;
  if (isLean) return;
  isLean = true;
  const inside = Object.getPrototypeOf(parser()) as Inside;
  const resetState = inside._resetState;
  inside._resetState = function (this: Inside) {
    resetState.call(this);
    this._list = new ArrivingBytes();
  };
}
