// Rules made once per thing they are about: the same world compiles to the same objects, which makes compiling and comparing
// it cheap. A cache can only be asked for what follows from `owner` and `what` alone.

const caches = new WeakMap<object, Map<string, unknown>>();

export function kept<T>(owner: object, what: string, make: () => T): T {
  let cache = caches.get(owner);
  if (cache === undefined) {
    cache = new Map();
    caches.set(owner, cache);
  }
  let made = cache.get(what) as T | undefined;
  if (made === undefined) {
    made = make();
    cache.set(what, made);
  }
  return made;
}
