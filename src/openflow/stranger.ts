// How much a peer may say before its handshake is over: nobody knows yet who it is.

const OFPT_PACKET_IN = 10;

/** Room for the ports of the largest switch; packet-ins that come in between have their own bound. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_PACKET_IN_BYTES = 256 * 1024;
const MAX_MALFORMED = 16;

export class Stranger {
  #bytes = 0;
  #packetInBytes = 0;
  #dropped = 0;
  #malformed = 0;

  /** Packet-ins that were too many. */
  get dropped(): number {
    return this.#dropped;
  }

  /** What to do with one more message. */
  hear(frame: Buffer): 'take' | 'drop' | 'close' {
    if (frame[1] !== OFPT_PACKET_IN) {
      this.#bytes += frame.length;
      return this.#bytes <= MAX_BYTES ? 'take' : 'close';
    }
    this.#packetInBytes += frame.length;
    if (this.#packetInBytes <= MAX_PACKET_IN_BYTES) return 'take';
    this.#dropped += 1;
    return 'drop';
  }

  /** Whether it has been wrong too often. */
  countMalformed(): boolean {
    this.#malformed += 1;
    return this.#malformed > MAX_MALFORMED;
  }
}
