import fc from 'fast-check';
import { generate, type Packet, parser } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { ArrivingBytes } from './arriving-bytes.js';
import { makePacketsLean } from './packet-library.js';

const packets = fc.array(
  fc.record({
    topic: fc.string({ minLength: 1, maxLength: 40 }).filter((topic) => !/[#+\0]/.test(topic)),
    payload: fc.uint8Array({ maxLength: 3_000 }),
    messageId: fc.integer({ min: 1, max: 65_535 }),
  }),
  { minLength: 1, maxLength: 8 },
);

/** Lengths of the pieces in which a network hands over the bytes. */
const pieces = fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 40 });

function cut(bytes: Buffer, lengths: readonly number[]): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const length = lengths[index % lengths.length] ?? 1;
    found.push(bytes.subarray(at, at + length));
    at += length;
  }
  return found;
}

test('however the bytes of packets are cut, the parser finds the same packets, and nothing is left over', () => {
  makePacketsLean();
  fc.assert(
    fc.property(packets, pieces, (sent, lengths) => {
      const found: Packet[] = [];
      const reading = parser();
      expect(Reflect.get(reading, '_list')).toBeInstanceOf(ArrivingBytes);
      reading.on('packet', (packet: Packet) => found.push(packet));
      const bytes = Buffer.concat(
        sent.map(({ topic, payload, messageId }) =>
          generate({
            cmd: 'publish',
            qos: 1,
            dup: false,
            retain: false,
            topic,
            messageId,
            payload: Buffer.from(payload),
          }),
        ),
      );
      for (const piece of cut(bytes, lengths)) reading.parse(piece);
      expect(found).toMatchObject(
        sent.map(({ topic, payload, messageId }) => ({ topic, payload: Buffer.from(payload), messageId })),
      );
      expect(reading.parse(Buffer.alloc(0))).toBe(0);
    }),
  );
});

test('a payload that was handed over stays as it is when more arrives', () => {
  const arriving = new ArrivingBytes();
  arriving.append(Buffer.from('abcdef'));
  const first = arriving.slice(0, 3);
  arriving.consume(3);
  arriving.append(Buffer.from('ghi'));
  const second = arriving.slice(0, 3);
  arriving.consume(4);
  for (let more = 0; more < 100; more += 1) arriving.append(Buffer.from('jklmnopqrst'));
  expect([first, second].map(String)).toEqual(['abc', 'def']);
  expect(arriving.toString('utf8', 0, 5)).toBe('hijkl');
  expect(arriving.length).toBe(2 + 1_100);
});

test('what is parsed is let go of', () => {
  const arriving = new ArrivingBytes();
  const chunk = Buffer.alloc(65_536);
  arriving.append(chunk);
  arriving.consume(65_535);
  expect(arriving.slice(0, 1).buffer).toBe(chunk.buffer);
  arriving.consume(1);
  expect(arriving.slice(0, 0).buffer).not.toBe(chunk.buffer);
});

test('numbers that have not arrived are not made up', () => {
  const arriving = new ArrivingBytes();
  arriving.append(Buffer.from([1, 2, 3]));
  arriving.consume(1);
  expect([arriving.readUInt8(1), arriving.readUInt16BE(0)]).toEqual([3, 0x0203]);
  expect(() => arriving.readUInt8(2)).toThrow(RangeError);
  expect(() => arriving.readUInt16BE(1)).toThrow(RangeError);
  expect(() => arriving.readUInt32BE(0)).toThrow(RangeError);
});

test('a packet that comes byte by byte is not copied with each', () => {
  const arriving = new ArrivingBytes();
  const place = new Set<ArrayBufferLike>();
  for (let at = 0; at < 200_000; at += 1) {
    arriving.append(Buffer.from([at & 0xff]));
    place.add(arriving.slice(0, 1).buffer);
  }
  expect(arriving.length).toBe(200_000);
  expect(arriving.readUInt8(199_999)).toBe(199_999 & 0xff);
  expect(place.size).toBeLessThan(25);
});
