// The one base class of every error this project throws, and the only error that bytes from outside can raise.
// Callers decide by `code`, never by message text.

/** Base of all errors: `code` is a closed union per subsystem, `retriable` is false unless stated. */
export class StateferryError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly retriable: boolean;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(
    code: Code,
    message: string,
    options: { cause?: unknown; retriable?: boolean; context?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retriable = options.retriable ?? false;
    this.context = options.context ?? {};
  }
}

export type WireErrorCode =
  | 'TRUNCATED' // fewer bytes than the field needs
  | 'BAD_LENGTH' // a length field contradicts its surroundings or makes no progress
  | 'BAD_VALUE' // a value the specification does not allow here
  | 'BAD_VERSION'
  | 'BAD_TYPE'
  | 'TOO_LONG'; // a value does not fit the field it is to be written to

/** Malformed bytes from outside: which field, at which offset of the frame or message. */
export class WireError extends StateferryError<WireErrorCode> {
  readonly field: string;
  readonly offset: number;
  readonly detail: string;
  /** What the protocol calls this fault, where it has a name of its own (`OFPBAC_BAD_OUT_PORT`). */
  readonly fault: string | null;

  constructor(code: WireErrorCode, field: string, offset: number, detail = '', fault: string | null = null) {
    super(code, `${code} at ${field}, offset ${offset}${detail === '' ? '' : `: ${detail}`}`, {
      context: { field, offset },
    });
    this.field = field;
    this.offset = offset;
    this.detail = detail;
    this.fault = fault;
  }
}
