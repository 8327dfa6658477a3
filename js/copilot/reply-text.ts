/**
 * The text of a reply, put together from messages that come in pieces. After a stream was cut the runtime asks again: what was pushed
 * already is not pushed twice.
 */
export class ReplyText {
  /** The last whole message. */
  last = "";
  /** The message that is streaming. */
  #message = { id: "", text: "" };
  /** The beginning of the message that was pushed before its stream was cut. */
  #pushed = "";
  readonly #push: (text: string) => void;

  constructor(push: (text: string) => void) {
    this.#push = push;
  }

  piece(id: string, piece: string): void {
    if (this.#message.id !== id) {
      // Of a stream that was cut twice, the longer beginning was pushed.
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

  whole(id: string, content: string): void {
    if (content === "") return;
    this.last = content;
    // A message that did not come in pieces comes in one.
    if (this.#message.id !== id) this.#push(content);
    this.#message = { id: "", text: "" };
    this.#pushed = "";
  }
}
