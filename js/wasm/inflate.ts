export { inflateSync } from "fflate/browser";
