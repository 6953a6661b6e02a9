export interface Greeting {
  readonly name: string;
  times: number;
}

/** Says hello, as often as wanted. */
export const greet = ({ name, times }: Greeting): string[] =>
  Array.from({ length: times }, (_, index) => `Hello, ${name}! (${index + 1})`);

export function unused(): never {
  throw new Error("nobody calls this");
}
