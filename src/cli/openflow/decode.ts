// Messages out of whatever holds them: hexadecimal digits, a file of these, a stream of bytes, a capture.

import { HEADER_LENGTH } from '../../openflow/message.ts';
import { isCapture, packetsOf } from './capture.ts';
import { bytesOfText } from './hex-text.ts';
import { InputError } from './input-error.ts';
import { OpenFlowStreams } from './openflow-streams.ts';
import type { Sighting } from './sighting.ts';
import { tcpSegment } from './tcp-segment.ts';

/** Of the contents of a file or of standard input. `ports` are for captures, see OpenFlowStreams. */
export function sightingsIn(content: Buffer, ports: readonly number[], onSighting: (sighting: Sighting) => void): void {
  if (isCapture(content)) {
    sightingsInCapture(content, ports, onSighting);
    return;
  }
  const paragraphs = looksLikeText(content) ? bytesOfText(content.toString('latin1')) : null;
  for (const bytes of paragraphs ?? [content]) sightingsInStream(bytes, onSighting);
}

/** One message after the other. */
export function sightingsInStream(bytes: Buffer, onSighting: (sighting: Sighting) => void): void {
  let at = 0;
  while (at < bytes.length) {
    const left = bytes.length - at;
    const length = left < HEADER_LENGTH ? 0 : bytes.readUInt16BE(at + 2);
    if (length < HEADER_LENGTH || length > left) {
      // The reader says best what is wrong with it.
      onSighting({ offset: at, bytes: bytes.subarray(at) });
      return;
    }
    onSighting({ offset: at, bytes: bytes.subarray(at, at + length) });
    at += length;
  }
}

function sightingsInCapture(file: Buffer, ports: readonly number[], onSighting: (sighting: Sighting) => void): void {
  let [packets, segments, messages] = [0, 0, 0];
  const streams = new OpenFlowStreams(ports, (sighting) => {
    messages += 1;
    onSighting(sighting);
  });
  for (const { timeUs, linkType, data } of packetsOf(file)) {
    packets += 1;
    const segment = tcpSegment(linkType, data);
    if (segment === null) continue;
    segments += 1;
    streams.push(timeUs, segment);
  }
  streams.end();
  if (messages === 0) {
    const hint =
      'if it is on an unusual port, name it with --port; if it is encrypted (TLS), capture it at the switch with watch';
    throw new InputError('NO_OPENFLOW', `no OpenFlow in ${packets} packets (${segments} of TCP): ${hint}`);
  }
}

const looksLikeText = (content: Buffer): boolean => {
  const head = content.subarray(0, 4096);
  return head.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09);
};

/** Hexadecimal digits on a command line; null where they are none. */
export function bytesOfArgument(text: string): Buffer | null {
  const digits = text.replaceAll(/0x|[\s:,]/gi, '');
  return digits !== '' && /^(?:[0-9a-f]{2})+$/i.test(digits) ? Buffer.from(digits, 'hex') : null;
}
