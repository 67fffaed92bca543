// What `conntrack -L -o extended` prints, line by line, and the comparison of two such listings. conntrack-tools is the
// oracle here: it shares no code with our agents.

export interface ListedEntry {
  readonly family: 'ipv4' | 'ipv6';
  readonly protocol: string;
  /** Remaining seconds. */
  readonly timeoutS: number;
  /** TCP state; null for other protocols. */
  readonly state: string | null;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly assured: boolean;
  readonly unreplied: boolean;
  readonly mark: number;
  readonly zone: number;
}

/** Lines that are no entries (the tool's summary goes to stderr) are skipped. */
export function parseConntrackListing(text: string): readonly ListedEntry[] {
  return text.split('\n').flatMap((line) => {
    const entry = parseLine(line);
    return entry === null ? [] : [entry];
  });
}

function parseLine(line: string): ListedEntry | null {
  const words = line.trim().split(/\s+/);
  const family = words[0];
  if ((family !== 'ipv4' && family !== 'ipv6') || words.length < 7) return null;
  const fields = new Map<string, string>();
  for (const word of words) {
    const equals = word.indexOf('=');
    // The original tuple comes first; the reply's fields have the same names.
    if (equals > 0 && !fields.has(word.slice(0, equals))) fields.set(word.slice(0, equals), word.slice(equals + 1));
  }
  const number = (name: string): number => Number(fields.get(name) ?? 0);
  const state = words[5] ?? '';
  return {
    family,
    protocol: words[2] ?? '',
    timeoutS: Number(words[4]),
    state: /^[A-Z_0-9]+$/.test(state) && !state.includes('=') ? state : null,
    source: fields.get('src') ?? '',
    destination: fields.get('dst') ?? '',
    sourcePort: number('sport'),
    destinationPort: fields.has('dport') ? number('dport') : number('id'),
    assured: words.includes('[ASSURED]'),
    unreplied: words.includes('[UNREPLIED]'),
    mark: number('mark'),
    zone: number('zone'),
  };
}

/** The original tuple as text: one flow within a zone. */
export function flowKey(e: ListedEntry): string {
  return `${e.protocol} ${e.source} ${e.sourcePort} > ${e.destination} ${e.destinationPort}`;
}

export interface ListingDifference {
  readonly flow: string;
  readonly what: 'missing' | 'state' | 'mark' | 'assured' | 'timeout';
  readonly source: string;
  readonly destination: string;
}

/** How far the remaining timeouts of source and destination may be apart. */
const MAX_TIMEOUT_APART_S = 2;
/** tcp_timeout_unacknowledged: what the kernel gives an established entry while data waits for its acknowledgement. */
const UNACKNOWLEDGED_S = 300;

/**
 * What the destination's listing says otherwise than the source's about `entries` of the source (which the caller has
 * chosen: those that are moved and whose state no packet changes between the two listings). On connections that are
 * not idle either side may be waiting for an acknowledgement, with the kernel's own timeout for that.
 */
export function compareListings(
  entries: readonly ListedEntry[],
  destination: readonly ListedEntry[],
  destinationZone: number,
  idlePorts: ReadonlySet<number> = new Set(),
): readonly ListingDifference[] {
  const there = new Map(destination.filter((e) => e.zone === destinationZone).map((e) => [flowKey(e), e]));
  return entries.flatMap((here): ListingDifference[] => {
    const flow = flowKey(here);
    const moved = there.get(flow);
    if (moved === undefined) return [{ flow, what: 'missing', source: here.state ?? 'present', destination: '' }];
    const isApart = Math.abs(here.timeoutS - moved.timeoutS) > MAX_TIMEOUT_APART_S;
    // On a busy connection data may be waiting for its acknowledgement, at either side.
    const isInFlight = !idlePorts.has(here.sourcePort) && Math.min(here.timeoutS, moved.timeoutS) <= UNACKNOWLEDGED_S;
    const rows = [
      { what: 'state', source: here.state, destination: moved.state, differs: here.state !== moved.state },
      { what: 'mark', source: here.mark, destination: moved.mark, differs: here.mark !== moved.mark },
      { what: 'assured', source: here.assured, destination: moved.assured, differs: here.assured !== moved.assured },
      { what: 'timeout', source: here.timeoutS, destination: moved.timeoutS, differs: isApart && !isInFlight },
    ] as const;
    return rows
      .filter((r) => r.differs)
      .map((r) => ({ flow, what: r.what, source: String(r.source), destination: String(r.destination) }));
  });
}
