/** Dark or light: the system's setting, or the choice made here and remembered where the browser allows. */
import { MediaQuery } from "svelte/reactivity";

export type Scheme = "dark" | "light";
const KEY = "monitor.theme";

/** Storage may be forbidden altogether (blocked cookies): then nothing is remembered. */
function remembered(): Scheme | null {
  try {
    const found = localStorage.getItem(KEY);
    return found === "dark" || found === "light" ? found : null;
  } catch {
    return null;
  }
}

function remember(choice: Scheme): void {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // Forbidden: the choice lasts as long as the page.
  }
}

export class Theme {
  #system = new MediaQuery("(prefers-color-scheme: light)");
  #choice = $state<Scheme | null>(remembered());

  get scheme(): Scheme {
    return this.#choice ?? (this.#system.current ? "light" : "dark");
  }

  toggle(): void {
    this.#choice = this.scheme === "dark" ? "light" : "dark";
    remember(this.#choice);
  }
}
