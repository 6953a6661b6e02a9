import { greet, type Greeting } from "./greet";
import { Counter } from "./counter";
import data from "./data.json";
import * as shapes from "./shapes";

const greeting: Greeting = { name: data.name, times: data.times };

export function App({ title = "untitled" }: { title?: string }): JSX.Element {
  const counter = new Counter<number>(shapes.area({ kind: "circle", radius: 2 }));
  return (
    <main className="app" onClick={() => counter.add(1)}>
      <h1>{title}</h1>
      <>{greet(greeting).map((line) => <p key={line}>{line ?? "…"}</p>)}</>
    </main>
  );
}

console.log(App({}), `${greeting.name}`, 2 ** 10, 1_000n);
