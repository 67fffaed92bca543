// Which message answers which, as a table: what a request resolves with follows from its type, for multipart requests from
// the part they ask for.

import type { Message } from './message.ts';
import type { ReplyBody } from './messages/multipart.ts';

export const REPLY_TYPE = {
  echo_request: 'echo_reply',
  features_request: 'features_reply',
  get_config_request: 'get_config_reply',
  barrier_request: 'barrier_reply',
  role_request: 'role_reply',
  get_async_request: 'get_async_reply',
  queue_get_config_request: 'queue_get_config_reply',
  bundle_control: 'bundle_control',
  multipart_request: 'multipart_reply',
  nx_role_request: 'nx_role_reply',
  nx_tlv_table_request: 'nx_tlv_table_reply',
  experimenter: 'experimenter', // for those that are answered: it says whose they are, not which of them
} as const satisfies Partial<Record<Message['type'], Message['type']>>;

export type Request = Extract<Message, { type: keyof typeof REPLY_TYPE }>;

/** The bodies of all messages of a multipart reply to a request for part `P`. */
export type PartsOf<P extends string> = readonly Extract<ReplyBody, { part: P }>[];

export type ReplyTo<R extends Request> = R extends { readonly type: 'multipart_request' }
  ? PartsOf<R['body']['part']>
  : Extract<Message, { type: (typeof REPLY_TYPE)[R['type']] }>;
