// Text for the Copilot runtime. It does not answer a message that holds half a surrogate pair, which is what cutting a text within an emoji
// leaves: the caller would wait for its timeout.

/** The text with each lone surrogate replaced by U+FFFD, as `String.prototype.toWellFormed` gives it; not every platform has that. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

/**
 * A copy of a value with all its text well-formed: in arrays and plain objects, in what its functions return or resolve to, and in the
 * messages of what they throw. Instances of classes stay as they are.
 */
export function wellFormedDeep<T>(value: T): T {
  return copy(value, new Map()) as T;
}

function copy(value: unknown, copies: Map<object, object>): unknown {
  if (typeof value === "string") return wellFormed(value);
  if (typeof value === "function") return wrapped(value as Call, (self) => self);
  if (!Array.isArray(value) && !isPlain(value)) return value;
  const known = copies.get(value);
  if (known) return known;
  const made: object = Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value));
  copies.set(value, made);
  for (const key of Reflect.ownKeys(value)) {
    const { enumerable } = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
    if (!enumerable) continue;
    const item: unknown = Reflect.get(value, key);
    // Not assigned: a key may be `__proto__`.
    Object.defineProperty(made, typeof key === "string" ? wellFormed(key) : key, {
      value:
        typeof item === "function"
          ? wrapped(item as Call, (self) => (self === made ? value : self))
          : copy(item, copies),
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return made;
}

type Call = (...args: unknown[]) => unknown;

/** The function, called on the original of a copy. */
function wrapped(call: Call, original: (self: unknown) => unknown): Call {
  // A proxy, so that it keeps its name and its properties.
  return new Proxy(call, {
    apply(target, self, args) {
      try {
        const result = Reflect.apply(target, original(self), args);
        return isThenable(result)
          ? Promise.resolve(result).then(wellFormedDeep, fail)
          : wellFormedDeep(result);
      } catch (error) {
        return fail(error);
      }
    },
  });
}

function fail(error: unknown): never {
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
