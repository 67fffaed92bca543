// A typed client of the API, made from its operations: `client.getMigration({ id })`. For the CLI, and for other programs as
// `stateferry/client`.

import { StateferryError } from '../base/errors.ts';
import { type AnswerOf, type Arguments, operation, OPERATION_IDS, type OperationId } from './operations.ts';

export interface ClientOptions {
  /** Of the controller, as `http://127.0.0.1:8080`. */
  readonly address: string;
  /** Without one only a controller on loopback answers, if it is configured so. */
  readonly token?: string | undefined;
  /** Ends every request under way, and refuses new ones. */
  readonly signal?: AbortSignal | undefined;
}

/** Each operation by its id; every one may raise `ApiError`. */
export type Client = { readonly [K in OperationId]: (...request: Arguments<K>) => Promise<AnswerOf<K>> };

/** `unreachable`: nobody answers; `refused`: what the API said is the message, its title and status are in the context. */
export class ApiError extends StateferryError<'unreachable' | 'refused'> {}

export function createClient(options: ClientOptions): Client {
  const entries = OPERATION_IDS.map((id) => [id, (request: object = {}) => ask(options, id, request)]);
  return Object.fromEntries(entries) as Client;
}

/** The headers that say who asks. */
export const authorization = ({ token }: Pick<ClientOptions, 'token'>): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

async function ask(options: ClientOptions, id: OperationId, request: object): Promise<unknown> {
  const { method, path, query, body } = operation(id);
  const fields = new Map<string, unknown>(Object.entries(request));
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = fields.get(name);
    fields.delete(name);
    return encodeURIComponent(String(value));
  });
  const url = new URL(filled, options.address);
  if (query !== undefined) {
    for (const [name, value] of fields) if (typeof value === 'string') url.searchParams.set(name, value);
  }
  const headers = authorization(options);
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(Object.fromEntries(fields)) }),
      ...(options.signal !== undefined && { signal: options.signal }),
    });
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw new ApiError('unreachable', `no controller answers at ${options.address}`, { cause });
  }
  if (response.ok) return response.json();
  throw await refusalOf(response);
}

/** Whatever stands between may refuse as well, in words of its own. */
async function refusalOf(response: Response): Promise<ApiError> {
  const { status, statusText } = response;
  const said = (await response.json().catch(() => ({}))) as { title?: string; detail?: string };
  const message = said.detail ?? `${status} ${statusText}`;
  return new ApiError('refused', message, { context: { status, title: said.title ?? statusText } });
}
