// The lab's own errors: what was waited for, what did not start, what the machine lacks.

import { StateferryError } from '../base/errors.ts';

export type LabErrorCode =
  | 'TIMED_OUT' // a condition did not come true in its time
  | 'PROCESS_ENDED' // a program the lab started ended by itself
  | 'REFUSED' // a program answered a request with an error
  | 'BAD_ANSWER' // an answer the lab cannot read
  | 'NOT_POSSIBLE' // this machine or user cannot run the scenario
  | 'INTERRUPTED'; // SIGINT or SIGTERM

export class LabError extends StateferryError<LabErrorCode> {}
