/**
 * Assembles the text of a reply from messages that arrive in pieces. When a stream is cut, the
 * runtime asks the model again: text that was already pushed is not pushed twice.
 */
export class ReplyText {
  /** The last complete message. */
  last = "";
  /** The message that is streaming. */
  #message = { id: "", text: "" };
  /** The part of a message that was pushed before its stream was cut. */
  #pushed = "";
  readonly #push: (text: string) => void;

  constructor(push: (text: string) => void) {
    this.#push = push;
  }

  addPiece(id: string, piece: string): void {
    if (this.#message.id !== id) {
      // If a stream was cut twice, the longer part was pushed.
      if (!this.#pushed.startsWith(this.#message.text)) this.#pushed = this.#message.text;
      this.#message = { id, text: "" };
    }
    this.#message.text += piece;
    const { text } = this.#message;
    if (this.#pushed === "") this.#push(piece);
    else if (!this.#pushed.startsWith(text)) {
      this.#push(text.startsWith(this.#pushed) ? text.slice(this.#pushed.length) : `\n${text}`);
      this.#pushed = "";
    }
  }

  complete(id: string, content: string): void {
    if (content === "") return;
    this.last = content;
    // A message that was not streamed is pushed at once.
    if (this.#message.id !== id) this.#push(content);
    this.#message = { id: "", text: "" };
    this.#pushed = "";
  }
}
