/** Queues values from several sources for one reader, in order of arrival. */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #values: T[] = [];
  #over: { error?: unknown; failed: boolean } | undefined;
  #wake: () => void = () => {};

  push(value: T): void {
    this.#values.push(value);
    this.#wake();
  }

  end(): void {
    this.#over ??= { failed: false };
    this.#wake();
  }

  /** Ends with an error, after the values that are queued. */
  fail(error: unknown): void {
    this.#over ??= { failed: true, error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const value = this.#values.shift();
      if (value !== undefined) yield value;
      else if (this.#over?.failed) throw this.#over.error;
      else if (this.#over) return;
      else
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
    }
  }
}
