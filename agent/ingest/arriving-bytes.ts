const NONE = Buffer.alloc(0);

/**
 * What has arrived of a connection and is not parsed yet, as the parser of aedes and mqtt reads it. Theirs is a list of
 * buffers: it makes one more for each step forward and each number read, five for a reading. This is one buffer and a
 * place in it.
 */
export class ArrivingBytes {
  private bytes: Buffer = NONE;
  private from = 0;
  private to = 0;
  /** Payloads point into what a socket has given; only the end of a buffer of our own may be written to. */
  private isOwn = false;

  get length(): number {
    return this.to - this.from;
  }

  append(more: Buffer): void {
    if (this.from === this.to) {
      this.bytes = more;
      this.from = 0;
      this.to = more.length;
      this.isOwn = false;
      return;
    }
    this.makeRoom(more.length);
    more.copy(this.bytes, this.to);
    this.to += more.length;
  }

  consume(count: number): void {
    this.from = Math.min(this.to, this.from + count);
    // Of a thousand meters that wait for their next minute, nothing is kept.
    if (this.from === this.to) this.append(NONE);
  }

  readUInt8(at: number): number {
    return this.bytes[this.placeOf(at, 1)] ?? 0;
  }

  readUInt16BE(at: number): number {
    return this.bytes.readUInt16BE(this.placeOf(at, 2));
  }

  readUInt32BE(at: number): number {
    return this.bytes.readUInt32BE(this.placeOf(at, 4));
  }

  slice(start: number, end: number): Buffer {
    return this.bytes.subarray(this.endOf(start), this.endOf(end));
  }

  toString(encoding: BufferEncoding, start: number, end: number): string {
    return this.bytes.toString(encoding, this.endOf(start), this.endOf(end));
  }

  private placeOf(at: number, bytes: number): number {
    const place = this.from + at;
    if (place + bytes > this.to) throw new RangeError('read beyond what has arrived');
    return place;
  }

  private endOf(at: number): number {
    return Math.min(this.to, this.from + at);
  }

  /** Whoever sends a packet byte by byte must not have all of it copied with each. */
  private makeRoom(bytes: number): void {
    if (this.isOwn && this.to + bytes <= this.bytes.length) return;
    const needed = this.length + bytes;
    const larger = Buffer.allocUnsafeSlow(this.isOwn ? 2 * needed : needed);
    this.bytes.copy(larger, 0, this.from, this.to);
    this.bytes = larger;
    this.to -= this.from;
    this.from = 0;
    this.isOwn = true;
  }
}
