import { vi } from "vitest";

/** Has a page without sight tell what is in it when the function given back is called. */
export function sighted(): (inSight: boolean) => void {
  let told: (entries: object[]) => void = () => undefined;
  Element.prototype.scrollIntoView = vi.fn();
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(tell: (entries: object[]) => void) {
        told = tell;
      }
      observe(): void {}
      disconnect(): void {}
    },
  );
  return (isIntersecting) => told([{ isIntersecting }]);
}
