// What can go wrong with certificates and their files, as codes that commands and tests can decide by.

import { StateferryError } from '../../base/errors.ts';

export type PkiErrorCode =
  | 'BAD_NAME' // not a DNS name, or one this directory needs for itself
  | 'EXISTS' // would overwrite a certificate or an authority
  | 'NOT_FOUND'
  | 'UNREADABLE' // a file is missing, not readable or not what its name says
  | 'MISMATCH' // a key that does not belong to its certificate, a list signed by somebody else
  | 'REVOKED';

export class PkiError extends StateferryError<PkiErrorCode> {}
