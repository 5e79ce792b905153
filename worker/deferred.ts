/**
 * What a controller needs and what comes asynchronously, signatures above all: reconcile asks for it and decides nothing;
 * when it is there, the key runs again and takes it.
 */
export class Deferred<Order, Product> {
  readonly #make: (order: Order) => Promise<Product>;
  readonly #ready: (key: string) => void;
  /** By key. */
  readonly #orders = new Map<string, { print: string; made?: { product: Product } }>();

  constructor(make: (order: Order) => Promise<Product>, ready: (key: string) => void) {
    this.#make = make;
    this.#ready = ready;
  }

  /** The product, once; `print` tells one order from another of the same key. What could not be made is ordered anew by the next run. */
  take(key: string, print: string, order: Order): Product | undefined {
    const made = this.#made(key, print, order);
    if (made) this.#orders.delete(key);
    return made?.product;
  }

  /** The product, as often as it is asked for until the key has another print: for what must not be made twice. */
  keep(key: string, print: string, order: Order): Product | undefined {
    return this.#made(key, print, order)?.product;
  }

  #made(key: string, print: string, order: Order): { product: Product } | undefined {
    const known = this.#orders.get(key);
    if (known?.print === print) return known.made;
    const entry: { print: string; made?: { product: Product } } = { print };
    this.#orders.set(key, entry);
    void this.#make(order).then(
      (product) => {
        entry.made = { product };
        if (this.#orders.get(key) === entry) this.#ready(key);
      },
      () => {
        if (this.#orders.get(key) === entry) this.#orders.delete(key);
      },
    );
    return undefined;
  }
}
