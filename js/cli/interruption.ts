/** Handles Ctrl-C: stops the current action. A second Ctrl-C ends the process. */
export class Interruption {
  raised = false;
  /** Stops the current action. */
  action: () => void = () => {};
  readonly #listener = () => {
    process.off("SIGINT", this.#listener);
    this.raise();
  };

  constructor() {
    this.listen();
  }

  raise(): void {
    this.raised = true;
    this.action();
  }

  /** Waits for the next Ctrl-C. */
  listen(): void {
    this.close();
    this.raised = false;
    process.on("SIGINT", this.#listener);
  }

  close(): void {
    process.off("SIGINT", this.#listener);
  }
}
