// Why a migration could not go on. `code` is what the record shows as the reason.

import { StateferryError } from '../base/errors.ts';

export type MigrationErrorCode =
  | 'source-missing' // no agent is registered for the source State Host
  | 'destination-missing'
  | 'source-refused'
  | 'destination-refused'
  | 'no-common-kind' // source and destination have registered no kind of state that both understand
  | 'agent-gone' // an agent left or died while it was needed
  | 'agent-timeout'
  | 'records-refused' // the destination's kernel did not take every record
  | 'state-mismatch' // the digests of both sides differ at the sentinel
  | 'switches-failed' // a flow change was not confirmed
  | 'no-detour'
  | 'not-in-time' // a planned move was not prepared before its deadline
  | 'cannot-be-moved' // no State Host to move the state from, or to
  | 'superseded'
  | 'abandoned'
  | 'controller-stopping'
  | 'internal';

export class MigrationError extends StateferryError<MigrationErrorCode> {}
