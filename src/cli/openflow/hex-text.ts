// Bytes out of text: plain hexadecimal digits with or without spaces, colons and 0x; what hexdump -C, xxd and tcpdump -x
// print; lines of JSON that have `hex`. Comments begin with #.

/** The bytes of each paragraph of the text, or null where it is no such text. */
export function bytesOfText(text: string): readonly Buffer[] | null {
  const out: Buffer[] = [];
  let digits = '';
  const flush = (): void => {
    if (digits !== '') out.push(Buffer.from(digits, 'hex'));
    digits = '';
  };
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.replace(/#.*$/, '').trim();
    if (line.startsWith('{')) {
      const hex = hexOfJson(line);
      if (hex === null) return null;
      flush();
      digits = hex;
      flush();
      continue;
    }
    // hexdump -C closes with the offset of the end.
    if (/^[0-9a-f]{7,8}$/i.test(line) && digits !== '' && Number.parseInt(line, 16) * 2 === digits.length) continue;
    const found = digitsOf(line);
    if (found === null) return null;
    // A blank line ends a paragraph; so does a line of whole messages, see messagesOf.
    if (found === '') flush();
    digits += found;
  }
  flush();
  return out;
}

const DUMP_LINE = /^(?:0x)?[0-9a-f]{4,8}(?::\s+|\s{2,})(.*)$/i;

function digitsOf(line: string): string | null {
  // Dumps have the offset before the bytes, and what is printable behind two spaces or bars.
  const dump = DUMP_LINE.exec(line)?.[1];
  const bytes =
    dump === undefined ? line : dump.replace(/\|.*$/, '').split(/\s{3,}|(?<=\S)\s{2}(?=\S*[^0-9a-f\s])/i)[0];
  const digits = (bytes ?? '').replaceAll(/0x|[\s:,]/gi, '');
  return /^(?:[0-9a-f]{2})*$/i.test(digits) ? digits : null;
}

function hexOfJson(line: string): string | null {
  try {
    const { hex } = JSON.parse(line) as { hex?: unknown };
    return typeof hex === 'string' && /^(?:[0-9a-f]{2})*$/i.test(hex) ? hex : null;
  } catch {
    return null;
  }
}
