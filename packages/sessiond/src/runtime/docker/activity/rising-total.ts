/** A counter that began anew somewhere (an interface was replaced) still only rises. */
export class RisingTotal {
  #before = 0
  #last = 0

  /** The total, given what the counter shows now. */
  next(shown: number): number {
    if (shown < this.#last) this.#before += this.#last
    this.#last = shown
    return this.#before + shown
  }
}
