// What Open vSwitch's manual pages list, where they are installed: an oracle that we did not write.
import { spawnSync } from 'node:child_process';

/** A page as text; empty without it. */
function manual(page: string): string {
  const { stdout, status } = spawnSync('man', [page], { encoding: 'utf8', env: { ...process.env, MANWIDTH: '300' } });
  return status === 0 ? stdout : '';
}

/** One field of ovs-fields(7), as lines of `Key: value`. */
export type FieldPage = ReadonlyMap<string, string>;

export function fieldPages(): readonly FieldPage[] {
  const pages: Map<string, string>[] = [];
  const lines = manual('ovs-fields').matchAll(/^ +(Name|Width|Masking|Prerequisites|Access|OXM|NXM): +(.+)$/gm);
  for (const [, key, value] of lines) {
    if (key === undefined || value === undefined) continue;
    if (key === 'Name') pages.push(new Map());
    pages.at(-1)?.set(key, value);
  }
  return pages;
}

/** Lines under "Syntax:" in ovs-actions(7), every form of every action and instruction. */
export function actionForms(): readonly string[] {
  const blocks = manual('ovs-actions').matchAll(/^ +Syntax:\n((?: +\S.*\n)+)/gm);
  return [...blocks].flatMap(([, block = '']) => block.trim().split(/\s*\n\s*/));
}
