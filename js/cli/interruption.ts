/** Ctrl-C: ends what is going on. A second one is the system's to handle. */
export class Interruption {
  came = false;
  /** What to do about it just now. */
  action: () => void = () => {};
  readonly #listener = () => {
    process.off("SIGINT", this.#listener);
    this.raise();
  };

  constructor() {
    this.listen();
  }

  raise(): void {
    this.came = true;
    this.action();
  }

  /** Makes ready for the next one. */
  listen(): void {
    this.close();
    this.came = false;
    process.on("SIGINT", this.#listener);
  }

  close(): void {
    process.off("SIGINT", this.#listener);
  }
}
