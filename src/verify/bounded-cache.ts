/** A map that forgets what was used longest ago once its entries cost more than it may hold. */
export class BoundedCache<V> {
  readonly #entries = new Map<string, { readonly value: V; readonly cost: number }>();
  readonly #capacity: number;
  #used = 0;

  /** @param capacity in the unit of `cost` */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Sum of the costs held. */
  get used(): number {
    return this.#used;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // Insertion order is age: what is used moves to the young end.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: V, cost: number): void {
    this.delete(key);
    if (cost > this.#capacity) return;
    this.#entries.set(key, { value, cost });
    this.#used += cost;
    for (const oldest of this.#entries.keys()) {
      if (this.#used <= this.#capacity) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#used -= entry.cost;
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#used = 0;
  }
}
