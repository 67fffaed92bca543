// Names of the attempts of a transfer, as IF(M,A) says them. Pure.

/** `copied`: the copy that was made ahead, with which the first attempt goes on. */
export interface TransferNames {
  readonly key: string;
  readonly copied?: string;
}

/** Names an attempt on IF(M,A). */
export function wireIdOf({ key, copied }: TransferNames, attempt: number): string {
  return attempt === 1 && copied !== undefined ? copied : `${key}.${attempt}`;
}

/** Names a copy made ahead. */
export function wireIdAhead(migration: string, index: number): string {
  return `${migration}.ahead${index}`;
}

/** Grows over migrations and attempts, so that a later Get ready outdates an earlier Retire (hard case 23). */
export function epochOf(migration: string, attempt: number): number {
  return Number(migration.slice(2)) * 1000 + attempt;
}
