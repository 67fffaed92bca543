// The few C functions Node does not offer, through koffi. Used by the worker that owns the sockets, and by nobody else.

import koffi from 'koffi';

// The process itself is linked against its C library, whichever that is (glibc or musl).
const libc = koffi.load(null);

type Call<A extends readonly unknown[]> = (...args: A) => number;

export const socket = libc.func('int socket(int, int, int)') as Call<[number, number, number]>;
export const bind = libc.func('int bind(int, const void *, uint32_t)') as Call<[number, Buffer, number]>;
export const getsockname = libc.func('int getsockname(int, void *, void *)') as Call<[number, Buffer, Buffer]>;
export const setsockopt = libc.func('int setsockopt(int, int, int, const void *, uint32_t)') as Call<
  [number, number, number, Buffer, number]
>;
export const send = libc.func('intptr_t send(int, const void *, size_t, int)') as Call<
  [number, Uint8Array, number, number]
>;
export const recv = libc.func('intptr_t recv(int, void *, size_t, int)') as Call<[number, Buffer, number, number]>;
export const read = libc.func('intptr_t read(int, void *, size_t)') as Call<[number, Buffer, number]>;
export const poll = libc.func('int poll(void *, unsigned long, int)') as Call<[Buffer, number, number]>;
export const close = libc.func('int close(int)') as Call<[number]>;
export const eventfd = libc.func('int eventfd(unsigned int, int)') as Call<[number, number]>;
export const ifNameToIndex = libc.func('unsigned int if_nametoindex(const char *)') as Call<[string]>;

/** errno of the last call above that failed, in this thread. */
export const errno = (): number => koffi.errno();

const NAMES = new Map(Object.entries(koffi.os.errno).map(([name, value]) => [value, name]));
export const errnoName = (value: number): string => NAMES.get(value) ?? `errno ${value}`;

/** A pointer-aligned buffer that holds `struct sock_fprog` for `filter`; keep `filter` alive as long as it is used. */
export function socketFilterProgram(filter: Buffer): Buffer {
  const program = Buffer.alloc(16);
  program.writeUInt16LE(filter.length / 8, 0);
  program.writeBigUInt64LE(koffi.address(filter), 8);
  return program;
}
