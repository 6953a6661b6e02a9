export enum Direction {
  Down = -1,
  Up = 1,
}

export class Counter<T extends number> {
  #value: number;
  static made = 0;

  constructor(private readonly start: T) {
    this.#value = start;
    Counter.made++;
  }

  add(count: number, direction: Direction = Direction.Up): this {
    this.#value += count * direction;
    return this;
  }

  get value(): number {
    return this.#value ?? this.start;
  }
}
