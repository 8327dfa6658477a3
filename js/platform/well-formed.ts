// Text for the Copilot runtime. The runtime never answers a message that holds a lone surrogate, as
// cutting a text inside an emoji leaves, so the caller would wait until its timeout.

/**
 * Replaces each lone surrogate by U+FFFD, as `String.prototype.toWellFormed` does. Not every
 * platform has that method.
 */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

/**
 * Copies a value and makes all its text well-formed: in arrays and plain objects, in the results of
 * its functions, and in the messages of the errors they throw. Instances of classes are not copied.
 */
export function wellFormedDeep<T>(value: T): T {
  return copy(value, new Map()) as T;
}

function copy(value: unknown, copies: Map<object, object>): unknown {
  if (typeof value === "string") return wellFormed(value);
  if (typeof value === "function") return wrap(value as Call, (self) => self);
  if (!Array.isArray(value) && !isPlain(value)) return value;
  const existing = copies.get(value);
  if (existing) return existing;
  const result: object = Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value));
  copies.set(value, result);
  for (const key of Reflect.ownKeys(value)) {
    const { enumerable } = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
    if (!enumerable) continue;
    const item: unknown = Reflect.get(value, key);
    // Defined, not assigned: a key may be `__proto__`.
    Object.defineProperty(result, typeof key === "string" ? wellFormed(key) : key, {
      value:
        typeof item === "function"
          ? wrap(item as Call, (self) => (self === result ? value : self))
          : copy(item, copies),
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return result;
}

type Call = (...args: unknown[]) => unknown;

/** Wraps a function so that it runs on the original object when it is called on the copy. */
function wrap(call: Call, original: (self: unknown) => unknown): Call {
  // A proxy keeps the function's name and properties.
  return new Proxy(call, {
    apply(target, self, args) {
      try {
        const result = Reflect.apply(target, original(self), args);
        return isThenable(result)
          ? Promise.resolve(result).then(wellFormedDeep, rethrow)
          : wellFormedDeep(result);
      } catch (error) {
        return rethrow(error);
      }
    },
  });
}

function rethrow(error: unknown): never {
  if (!(error instanceof Error)) throw wellFormedDeep(error);
  const message = wellFormed(error.message);
  throw message === error.message ? error : new Error(message, { cause: error });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
