// @peculiar/x509 is wired by a container that wants the metadata half of the Reflect polyfill and asks for no more than
// these three functions. Import this file before it. A full polyfill that is there already is left alone.

type Metadata = Map<unknown, unknown>;
interface MetadataReflect {
  getMetadata?: (key: unknown, target: object) => unknown;
  getOwnMetadata?: (key: unknown, target: object) => unknown;
  defineMetadata?: (key: unknown, value: unknown, target: object) => void;
}

const metadataOf = new WeakMap<object, Metadata>();
const reflect = Reflect as MetadataReflect;

if (reflect.getMetadata === undefined) {
  const getOwn = (key: unknown, target: object): unknown => metadataOf.get(target)?.get(key);
  reflect.getOwnMetadata = getOwn;
  reflect.getMetadata = (key, target) => {
    for (let at: object | null = target; at !== null; at = Reflect.getPrototypeOf(at)) {
      const value = getOwn(key, at);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  reflect.defineMetadata = (key, value, target) => {
    const metadata: Metadata = metadataOf.get(target) ?? new Map<unknown, unknown>();
    metadataOf.set(target, metadata.set(key, value));
  };
}
