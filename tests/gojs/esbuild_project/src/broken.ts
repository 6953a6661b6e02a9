import { missing } from "./greet";
import nothing from "./not-there";

const x: number = ;
export const y = missing + nothing
